"""The texts in which a config names pipelines, ``"notebook-1:3, my-flip"``, and carries saved ones with it, as JSON:
``{"my-flip": {"format": ..., ...}}``.

Here the latter are only plain values; :func:`aquadash.augment.plan` reads and checks them.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

#: The name of a source, a pipeline or a network.
NAME = r"[a-z0-9][a-z0-9_-]{0,63}"

#: Most pipelines of one training.
MAX_PIPELINES = 8

#: The largest weight; it only counts in relation to the others.
_MAX_WEIGHT = 1000.0
#: The least weight.
_MIN_WEIGHT = 0.001

#: Longest text of all the pipelines of a config, in characters. One has one to three thousand.
#: A config as text (``reading.MAX_CHARACTERS``) must have room for it.
_MAX_DEFINITIONS = 60_000


def read_weights(text: str) -> tuple[tuple[str, float], ...]:
    """Pairs of a pipeline's name and its weight, from ``"name"`` or ``"name:weight, name, ..."``.

    A weight that is left out is 1.

    Raises:
        ValueError: The text is not of that form; the message says what is expected.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAX_PIPELINES:
        raise ValueError(f"it names {len(parts)} pipelines; expected at most {MAX_PIPELINES}")
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
    if not _MIN_WEIGHT <= weight <= _MAX_WEIGHT:
        raise ValueError(
            f"the weight of {name} is {text[:40]!r}; expected a number from {_MIN_WEIGHT:g} to {_MAX_WEIGHT:g}, such "
            f"as {name}:3"
        )
    return float(f"{weight:.6g}")


def read_definitions(text: str) -> dict[str, dict[str, Any]]:
    """Pipelines by name; none from an empty text.

    Raises:
        ValueError: The text is too long or not of that form.
    """
    if not text.strip():
        return {}
    if len(text) > _MAX_DEFINITIONS:
        raise ValueError(
            f"it has {len(text):,} characters; expected at most {_MAX_DEFINITIONS:,}. Name fewer pipelines"
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not valid JSON ({str(error)[:120]})") from None
    if not isinstance(values, dict) or not all(
        re.fullmatch(NAME, name) and isinstance(value, dict) for name, value in values.items()
    ):
        raise ValueError('expected a JSON object of pipelines by name, such as {"my-flip": {"format": ...}}')
    return values


def definitions_text(definitions: Mapping[str, Mapping[str, Any]]) -> str:
    """The text that :func:`read_definitions` reads, in one form; empty for none."""
    return json.dumps(definitions, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if definitions else ""


def canonical_definitions(text: str) -> str:
    """The same pipelines in one form; errors as in :func:`read_definitions`."""
    return definitions_text(read_definitions(text))


def digests(text: str) -> dict[str, str]:
    """A few characters for each pipeline that change when what it does to images changes, not when its words do."""
    found = {}
    for name, values in read_definitions(text).items():
        branches = values.get("branches")
        steps = (
            [b.get("operators") if isinstance(b, dict) else b for b in branches] if isinstance(branches, list) else []
        )
        found[name] = hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()[:6]
    return found


def describe_definitions(text: str) -> str:
    """The pipelines as a person tells them apart: ``"my-flip (version 3fa2b1)"``; ``"none"`` without any."""
    return ", ".join(f"{name} (version {digest})" for name, digest in digests(text).items()) or "none"
