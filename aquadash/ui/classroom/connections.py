"""Connections to a class's server that belong to no member: few at once, and none for long.

The server (uvicorn) waits for a request's first line, and for the rest of it, as long as it takes: a thousand of such
connections would use up the files that a process may open. So every connection is watched from when it is made. A
request has to come within :data:`HEADER_SECONDS`, a stranger's has to be over within :data:`REQUEST_SECONDS`, and where
there are too many of either the oldest make room. A member's request takes as long as it takes.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

#: For the first line and headers of a request, after the connection is made or the last answer was given.
HEADER_SECONDS = 10.0
#: For a stranger's whole request: the join page, or one of the app's scripts over a slow network.
REQUEST_SECONDS = 60.0
#: More connections of strangers at the same time than any class makes.
_MAX = 1000


class _Held:
    """Connections that end after a time, or when there are too many: the oldest first."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._timers: dict[asyncio.Transport, asyncio.TimerHandle] = {}

    def hold(self, transport: asyncio.Transport) -> None:
        if transport.is_closing():
            return
        if len(self._timers) >= self._most:
            self._end(next(iter(self._timers)))
        self._timers[transport] = asyncio.get_running_loop().call_later(self._seconds, self._end_soon, transport)

    def free(self, transport: asyncio.Transport) -> None:
        if timer := self._timers.pop(transport, None):
            timer.cancel()

    def _end_soon(self, transport: asyncio.Transport) -> None:
        # The loop may have stood still for as long: what has come meanwhile is read first.
        self._timers[transport] = asyncio.get_running_loop().call_later(self._seconds / 10, self._end, transport)

    def _end(self, transport: asyncio.Transport) -> None:
        self.free(transport)
        transport.abort()


class _Watched:
    """The server's protocol of one connection, and what is known of the connection."""

    def __init__(self, protocol: asyncio.Protocol, waiting: _Held, asking: _Held) -> None:
        self._protocol, self._waiting, self._asking = protocol, waiting, asking
        self._requests = 0
        self._transport: asyncio.Transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting.hold(transport)
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        # Tasks that the protocol begins for requests inherit it.
        token = _connection.set(self)
        try:
            self._protocol.data_received(data)
        finally:
            _connection.reset(token)

    def connection_lost(self, error: Exception | None) -> None:
        self._waiting.free(self._transport)
        self._asking.free(self._transport)
        self._protocol.connection_lost(error)

    def begin(self) -> None:
        self._requests += 1
        self._waiting.free(self._transport)
        self._asking.free(self._transport)
        self._asking.hold(self._transport)

    def trust(self) -> None:
        self._asking.free(self._transport)

    def end(self) -> None:
        self._requests -= 1
        if not self._requests:
            self._asking.free(self._transport)
            self._waiting.hold(self._transport)


_connection: ContextVar[_Watched | None] = ContextVar("aquadash_connection", default=None)


@contextmanager
def request() -> Iterator[None]:
    """This task answers a request, so far a stranger's."""
    connection = _connection.get()
    if connection is not None:
        connection.begin()
    try:
        yield
    finally:
        if connection is not None:
            connection.end()


def trust() -> None:
    """The request that this task answers is a member's."""
    connection = _connection.get()
    if connection is not None:
        connection.trust()


def raise_open_files() -> int:
    """Let this process open as many files and connections as its user may; returns how many those are."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The mac says "any number" and takes less.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def watch(open_files: int, *, header_seconds: float = HEADER_SECONDS, request_seconds: float = REQUEST_SECONDS) -> None:
    """Watch the connections of every server that is started in the running loop from now on.

    Args:
        open_files: How many files and connections the process may have open; strangers get half of them.
        header_seconds, request_seconds: See above.
    """
    loop = asyncio.get_running_loop()
    most = min(_MAX, open_files // 4)
    waiting, asking = _Held(most, header_seconds), _Held(most, request_seconds)
    create_server: Callable[..., Any] = loop.create_server

    def create(factory: Callable[[], asyncio.Protocol], *arguments: Any, **options: Any) -> Any:
        # No more are taken in at once than may wait.
        options["backlog"] = most
        return create_server(lambda: _Watched(factory(), waiting, asking), *arguments, **options)

    loop.create_server = create  # type: ignore[method-assign, assignment]
