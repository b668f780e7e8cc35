"""The caches of the lab. All people share them, so the lab checks the rights after a reading."""

from collections.abc import Callable
from threading import Condition
from typing import Any, ParamSpec, TypeVar

from cachetools import Cache, LRUCache, TTLCache, cached
from cachetools.keys import hashkey

from aquadash import settings

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds after which a reading that may change is stale.
FRESH_SECONDS = 1.0

_forget: list[Callable[[], None]] = []
_generation = 0


def kept(
    most: int, *, seconds: float | None = None, size: Callable[[Any], int] | None = None, method: bool = False
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Cache the results of a function for each store; of several threads with the same arguments, one computes them.

    Args:
        most: The most results, least recently used first out; with ``size`` the most bytes of all results.
        seconds: The lifetime of a result that may change; None for one that stays. A result None is then not cached,
            because a missing file may be put back.
        size: Returns the bytes of a result. A result larger than ``most`` is not cached.
        method: Whether it is a method. All people share its results, so these must not depend on ``self``.
    """

    def size_of(result: Any) -> int:
        return most + 1 if result is None else size(result) if size else 1

    memory: Cache[Any, Any] = LRUCache(most, size_of) if seconds is None else TTLCache(most, seconds, getsizeof=size)

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        def key(*args: Any, **options: Any) -> tuple[Any, ...]:
            # A result that was computed during a refresh may be stale, so later calls have another key.
            generation = None if seconds is None else _generation
            return hashkey(settings.store_key(), generation, *args[method:], **options)

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
