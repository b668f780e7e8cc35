"""What changed between two pictures, as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Where a signed difference shows "no change": the middle of 0 to 255.
GREY = 128
#: The strongest amplification: a change by one level of 255 is then well seen.
MOST_FACTOR = 16


def difference(
    before: NDArray[np.uint8], after: NDArray[np.uint8], *, factor: int = 1, signed: bool = False
) -> NDArray[np.uint8]:
    """The difference of two pictures, or many, pixel by pixel and channel by channel.

    Args:
        before: uint8, of any shape.
        after: uint8, of the same shape.
        factor: The difference is multiplied by it and cut to 0 to 255; 1 to :data:`MOST_FACTOR`.
        signed: False: black where nothing changed, brighter the more changed, up or down. True: :data:`GREY` where
            nothing changed, brighter where a channel became brighter and darker where it became darker. A signed
            difference is halved first, so that with a factor of 1 the whole range has room.

    Returns:
        uint8, of that shape.

    Raises:
        ValueError: The shapes differ, or the factor is out of bounds.
    """
    if before.shape != after.shape:
        raise ValueError(f"before is {before.shape} and after {after.shape}; expected the same shape")
    if not 1 <= factor <= MOST_FACTOR:
        raise ValueError(f"factor is {factor}; expected 1 to {MOST_FACTOR}")
    change = after.astype(np.int32) - before
    shown = GREY + np.sign(change) * (np.abs(change) * factor // 2) if signed else np.abs(change) * factor
    return np.clip(shown, 0, 255).astype(np.uint8)
