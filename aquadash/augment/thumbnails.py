"""A small picture of each operator at work, for choosing one.

Imports imgaug at the first call, which takes about a second.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aquadash.augment.apply import augment_branch
from aquadash.augment.operators import OPERATORS, operator_info
from aquadash.augment.spec import Branch
from aquadash.data import synthetic

#: Each pixel of the picture becomes a square of so many pixels a side.
_ENLARGED = 2

#: Decides what happens to the drawing: chosen, as the drawing is, so that one sees what each operator does.
_SEED = 31


def thumbnail_source() -> NDArray[np.uint8]:
    """The picture before: a drawn animal, uint8, shape (64, 64, 3), RGB."""
    return _enlarged(_picture())


def thumbnail(name: str) -> NDArray[np.uint8]:
    """What an operator makes of the picture with telling settings: uint8, shape (64, 64, 3), RGB.

    Args:
        name: The operator's name; the same name gives the same picture.

    Raises:
        UnknownNameError: There is no such operator.
    """
    info = operator_info(name)
    picture = _picture()
    if info.example is None:
        return _enlarged(picture)
    changed = np.empty_like(picture)[np.newaxis]
    augment_branch(picture[np.newaxis], Branch(info.title, (info.example,)), seed=_SEED, path=(), out=changed)
    return _enlarged(changed[0])


def thumbnails() -> dict[str, NDArray[np.uint8]]:
    """The thumbnails of all operators by name, in the order of the menu."""
    return {name: thumbnail(name) for name in OPERATORS}


@lru_cache(maxsize=1)
def _picture() -> NDArray[np.uint8]:
    """The drawn animal, uint8, shape (32, 32, 3)."""
    picture = synthetic.example()
    picture.setflags(write=False)
    return picture


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(np.repeat(picture, _ENLARGED, axis=0), _ENLARGED, axis=1)
