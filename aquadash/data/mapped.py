"""Images that lie in a file: whoever has looked at some of them gives their memory back."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def in_chunks(images: NDArray[np.uint8], *, most_bytes: int = 16_000_000) -> Iterator[NDArray[np.uint8]]:
    """The images a few at a time, each of which is to be used before the next is asked for."""
    step = max(1, most_bytes // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        yield images[start : start + step]
        let_go(images)


def let_go(images: NDArray[Any]) -> None:
    """Take the pages of a mapped file out of this process's memory; they come back when they are looked at.

    Nothing that was written is lost, and arrays that are not mapped stay as they are.
    """
    base: Any = images
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
