"""What the lab keeps in memory of what it has read: once for everybody, each of whom sees of it what they may."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from typing import Any, ParamSpec, TypeVar

from cachetools import Cache, LRUCache, TTLCache, cached
from cachetools.keys import hashkey

P = ParamSpec("P")
T = TypeVar("T")

_forget: list[Callable[[], None]] = []
_generation = 0


def kept(
    most: int, *, seconds: float | None = None, size: Callable[[Any], int] | None = None
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A function whose answers are kept; of many threads that ask the same at once, one works it out.

    Args:
        most: How many answers, those used last; with ``size`` how large they may be together.
        seconds: For how long at most, for what still changes; None for as long as there is room, but for what is
            missing, None, which may be put back.
        size: How large an answer is. One that is larger than ``most`` alone is not kept.
    """

    def of(answer: Any) -> int:
        return most + 1 if answer is None else size(answer) if size else 1

    memory: Cache[Any, Any] = LRUCache(most, of) if seconds is None else TTLCache(most, seconds, getsizeof=size)

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        # An answer that was being worked out at a refresh is not for those who ask after it.
        key = hashkey if seconds is None else lambda *args, **options: hashkey(_generation, *args, **options)
        wrapped = cached(memory, key=key, condition=Condition())(function)
        if seconds is not None:
            _forget.append(wrapped.cache_clear)
        return wrapped

    return decorate


def refresh() -> None:
    """Forget what still changes, after a person changed something or a job ended. The next call reads it again."""
    global _generation
    _generation += 1
    for forget in _forget:
        forget()
