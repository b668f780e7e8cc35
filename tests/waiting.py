"""Waiting for another process: the store has no events, so it is asked until it says what is expected."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    what: Callable[[], T], *, timeout: float = 60.0, saying: Callable[[], object] | None = None, every: float = 0.05
) -> T:
    """The first truthy answer of ``what``, which is asked after each ``every`` seconds.

    Raises:
        AssertionError: It had none within ``timeout`` seconds; the message holds what ``saying`` returns then.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing within {timeout} s: {saying() if saying else what}")
        time.sleep(every)
