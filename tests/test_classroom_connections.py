"""Connections to a class's server over which no member asks for anything."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from aquadash.ui.classroom import connections

pytestmark = pytest.mark.anyio

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
#: The slowest thing here takes this long; a test fails after it.
_PATIENCE = 20.0


@asynccontextmanager
async def _served(
    *, open_files: int = 400, header_seconds: float = 60.0, request_seconds: float = 60.0
) -> AsyncIterator[Callable[[], Awaitable[Stream]]]:
    """A watched server, which answers members (``/member``) and strangers once it has read all; yields how to connect
    to it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with connections.request():
            if scope["path"] == "/member":
                connections.trust()
            while (await receive()).get("more_body"):
                pass
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

    connections.watch(open_files, header_seconds=header_seconds, request_seconds=request_seconds)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with asyncio.timeout(_PATIENCE):
                yield lambda: asyncio.open_connection("127.0.0.1", port)
        finally:
            server.should_exit = server.force_exit = True
            await serving


async def _answers(stream: Stream, path: str = "/") -> bool:
    reader, writer = stream
    writer.write(f"GET {path} HTTP/1.1\r\nHost: lab\r\n\r\n".encode())
    return (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def _ended(stream: Stream) -> bool:
    """Waits until the server has closed a connection; it sends nothing before."""
    try:
        return await stream[0].read() == b""
    except ConnectionResetError:
        return True


async def test_a_connection_without_a_whole_request_ends_after_its_time() -> None:
    async with _served(header_seconds=0.3) as connect:
        silent, begun, second = await connect(), await connect(), await connect()
        begun[1].write(b"GET / HTTP/1.1\r\nHost:")
        assert await _answers(second)
        second[1].write(b"GET / HTTP/1.1\r\nHost:")
        for stream in (silent, begun, second):
            assert await _ended(stream)


async def test_what_came_while_the_server_stood_still_is_answered() -> None:
    async with _served(header_seconds=0.3) as connect:
        waiting = await connect()
        assert await _answers(waiting)
        waiting[1].write(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        # The server runs in this very loop.
        time.sleep(0.5)
        assert (await waiting[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


async def test_a_strangers_request_has_its_time_and_a_members_has_all_it_takes() -> None:
    async with _served(header_seconds=0.2, request_seconds=0.3) as connect:
        member, stranger = await connect(), await connect()
        for path, (_, writer) in (("/member", member), ("/", stranger)):
            writer.write(f"POST {path} HTTP/1.1\r\nHost: lab\r\nContent-Length: 4\r\n\r\nab".encode())
        assert await _ended(stranger)
        member[1].write(b"cd")
        assert (await member[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost:", b"POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 4\r\n\r\n"]
)
async def test_of_too_many_the_oldest_make_room_and_no_member(sent: bytes) -> None:
    async with _served(open_files=40) as connect:
        member = await connect()
        member[1].write(b"POST /member HTTP/1.1\r\nHost: lab\r\nContent-Length: 4\r\n\r\n")
        many = []
        for _ in range(30):
            many.append(await connect())
            many[-1][1].write(sent)
            assert await _answers(await connect())
        for stream in many[:15]:
            assert await _ended(stream)
        member[1].write(b"abcd")
        assert (await member[0].readuntil(b"ok")).startswith(b"HTTP/1.1 200")


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        assert connections.raise_open_files() == hard == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
