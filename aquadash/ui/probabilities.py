"""A network's answer beside an image: a bar for each class that counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from aquadash.figures.probability_bars import shown_classes
from aquadash.figures.theme import class_colour, class_emoji, shorten
from aquadash.ui.gallery import Bar

#: With more classes only the most probable ones (and the true one) get a bar, so that cards stay short.
MOST_BARS = 6


def class_text(name: str) -> str:
    """A class as emoji and shortened name, for menus and HTML; for markdown it needs ``text.plain`` around it."""
    return f"{class_emoji(name)} {shorten(name)}".strip()


def bars(probabilities: ArrayLike, *, class_names: Sequence[str], true_class: int | None = None) -> tuple[Bar, ...]:
    """The bars of one image, in class order.

    Args:
        probabilities: Shape (classes,), 0 to 1.
        class_names: One name a class.
        true_class: The right answer, where it is known.
    """
    shares = np.asarray(probabilities, dtype=np.float64)
    return tuple(
        Bar(
            label=class_text(class_names[index]),
            probability=float(shares[index]),
            colour=class_colour(class_names[index], index),
            is_true=index == true_class,
        )
        for index in shown_classes(shares, true_class=true_class, most=MOST_BARS)
    )
