"""Progress reports of long operations to their caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

#: Called in the caller's thread with a text for people and the fraction done (0 to 1, None while unknown); an exception
#: that it raises ends the operation.
ProgressCallback = Callable[[str, float | None], None]


def silent(text: str, fraction: float | None) -> None:
    """Ignore progress."""


@contextmanager
def in_turn(lock: Lock | Semaphore, text: str, report: ProgressCallback) -> Iterator[None]:
    """Hold ``lock``; report ``text`` while other threads hold it, so that a person can cancel the wait."""
    while not lock.acquire(timeout=0.2):
        report(text, None)
    try:
        yield
    finally:
        lock.release()
