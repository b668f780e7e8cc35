"""Progress reports of long operations to their caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

#: Called with a text for people and the fraction done (0 to 1, None while it is unknown), in the caller's thread; an
#: exception that it raises ends the operation.
ProgressCallback = Callable[[str, float | None], None]


def silent(text: str, fraction: float | None) -> None:
    """A callback for callers that want no progress."""


@contextmanager
def in_turn(lock: Lock | Semaphore, text: str, report: ProgressCallback) -> Iterator[None]:
    """Hold ``lock``, reporting ``text`` while other threads have it, so that a person who waits can also leave."""
    while not lock.acquire(timeout=0.2):
        report(text, None)
    try:
        yield
    finally:
        lock.release()
