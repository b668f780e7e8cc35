"""Several pipelines with weights, as one text: ``"notebook-1:3, my-flip"``."""

from __future__ import annotations

import math
import re

#: What the name of a source, a pipeline or a network may be.
NAME = r"[a-z0-9][a-z0-9_-]{0,63}"

#: More pipelines in one training are nothing that anybody could judge.
MOST_PIPELINES = 8

#: The largest weight; it only counts in relation to the others.
_GREATEST = 1000.0
#: Below this a weight would mean hardly an image; it is also what six digits after the point can say.
_LEAST = 0.001


def read_weights(text: str) -> tuple[tuple[str, float], ...]:
    """Pairs of a pipeline's name and its weight, from ``"name"`` or ``"name:weight, name, ..."``.

    A weight that is left out is 1.

    Raises:
        ValueError: The text is not of that form; the message says what is expected.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MOST_PIPELINES:
        raise ValueError(f"it names {len(parts)} pipelines; expected at most {MOST_PIPELINES}")
    found: dict[str, float] = {}
    for part in parts:
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not re.fullmatch(NAME, name):
            raise ValueError(
                f"{name[:80]!r} is no pipeline's name. Expected small letters, digits and hyphens, or several names "
                "with weights, such as notebook-1:3, mirror-shift:1"
            )
        if name in found:
            raise ValueError(f"it names {name} twice; give it one weight")
        found[name] = _weight(name, number) if colon else 1.0
    return tuple(found.items())


def weights_text(weights: tuple[tuple[str, float], ...]) -> str:
    """The text that :func:`read_weights` reads, in one form: weights of 1 are left out."""
    return ", ".join(name if weight == 1.0 else f"{name}:{weight:.6g}" for name, weight in weights)


def canonical_weights(text: str) -> str:
    """The same names and weights in one form; errors as in :func:`read_weights`.

    The weight of a pipeline that is alone says nothing and is left out.
    """
    weights = read_weights(text)
    return weights[0][0] if len(weights) == 1 else weights_text(weights)


def _weight(name: str, text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not _LEAST <= weight <= _GREATEST:
        raise ValueError(
            f"the weight of {name} is {text[:40]!r}; expected a number from {_LEAST:g} to {_GREATEST:g}, such as "
            f"{name}:3"
        )
    return float(f"{weight:.6g}")
