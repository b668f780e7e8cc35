"""The saved pipelines that a config carries with it, as one JSON text: ``{"my-flip": {"format": ..., ...}}``.

Here they are only plain values; :func:`aquadash.augment.plan` reads and checks them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from aquadash.config.weights import NAME

#: Longest text of all the pipelines of a config, in characters. One has one to three thousand.
#: A config as text (``reading.MOST_TEXT``) must have room for it.
LONGEST = 60_000


def read_definitions(text: str) -> dict[str, dict[str, Any]]:
    """Pipelines by name; none from an empty text.

    Raises:
        ValueError: The text is too long or not of that form.
    """
    if not text.strip():
        return {}
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text):,} characters; expected at most {LONGEST:,}. Name fewer pipelines")
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


def definitions_words(text: str) -> str:
    """The pipelines as a person tells them apart: ``"my-flip (version 3fa2b1)"``; ``"none"`` without any."""
    return ", ".join(f"{name} (version {digest})" for name, digest in digests(text).items()) or "none"
