"""The texts of a config that name pipelines, ``"notebook-1:3, my-flip"``, and define saved ones as JSON.

Definitions, ``{"my-flip": {"format": ..., ...}}``, are plain values here; :func:`aquadash.augment.plan` checks them.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Any

#: The pattern of the name of a source, a pipeline or a network.
NAME = r"[a-z0-9][a-z0-9_-]{0,63}"

#: The most pipelines of one training.
MAX_PIPELINES = 8

#: The least and the largest weight; only the ratios of weights count.
_MIN_WEIGHT, _MAX_WEIGHT = 0.001, 1000.0

#: The longest text of all definitions, in characters; one has one to three thousand. ``reading.MAX_CHARACTERS`` must
#: have room for it.
_MAX_DEFINITIONS = 60_000


def read_weights(text: str) -> tuple[tuple[str, float], ...]:
    """Read pairs of pipeline and weight from ``"name"`` or ``"name:weight, name, ..."``; the default weight is 1.

    Raises:
        ValueError: The text has another form.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAX_PIPELINES:
        raise ValueError(f"it names {len(parts)} pipelines; expected at most {MAX_PIPELINES}")
    weights: dict[str, float] = {}
    for part in parts:
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not re.fullmatch(NAME, name):
            raise ValueError(
                f"{name[:80]!r} is no pipeline's name. Expected small letters, digits and hyphens, or several names "
                "with weights, such as notebook-1:3, mirror-shift:1"
            )
        if name in weights:
            raise ValueError(f"it names {name} twice; give it one weight")
        weights[name] = _weight(name, number) if colon else 1.0
    return tuple(weights.items())


def weights_text(weights: tuple[tuple[str, float], ...]) -> str:
    """Return the text for :func:`read_weights`; weights of 1 are left out."""
    return ", ".join(name if weight == 1.0 else f"{name}:{weight:.6g}" for name, weight in weights)


def canonical_weights(text: str) -> str:
    """Return names and weights in one form, without the weight of a single pipeline."""
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
    """Read the definitions of pipelines by name; an empty text has none.

    Raises:
        ValueError: The text is too long or has another form.
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
    """Return the text for :func:`read_definitions`; empty for none."""
    return json.dumps(definitions, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if definitions else ""


def canonical_definitions(text: str) -> str:
    """Return the definitions in one form."""
    return definitions_text(read_definitions(text))


def digests(text: str) -> dict[str, str]:
    """Return a short digest of each defined pipeline, which depends on its steps but not on its titles."""
    short = {}
    for name, values in read_definitions(text).items():
        branches = values.get("branches")
        steps = (
            [b.get("operators") if isinstance(b, dict) else b for b in branches] if isinstance(branches, list) else []
        )
        short[name] = hashlib.sha256(json.dumps(steps, sort_keys=True).encode()).hexdigest()[:6]
    return short


def describe_definitions(text: str) -> str:
    """Describe the defined pipelines for people, such as ``"my-flip (version 3fa2b1)"``, or ``"none"``."""
    return ", ".join(f"{name} (version {digest})" for name, digest in digests(text).items()) or "none"
