"""What a check says of an answer."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How good an answer is."""

    RIGHT = "right"
    NEARLY = "nearly"
    WRONG = "wrong"


@dataclass(frozen=True)
class Verdict:
    """A check's answer to an answer.

    Attributes:
        outcome: How good it is.
        text: Why, or a hint that does not give the solution away. Plain text.
    """

    outcome: Outcome
    text: str


def right(text: str) -> Verdict:
    """The answer is right."""
    return Verdict(Outcome.RIGHT, text)


def nearly(text: str) -> Verdict:
    """It is close, or right in part."""
    return Verdict(Outcome.NEARLY, text)


def wrong(text: str) -> Verdict:
    """It is not."""
    return Verdict(Outcome.WRONG, text)


#: An optional sign, digits with at most one point or comma, an optional per cent sign.
_NUMBER = re.compile(r"[+\-−]?(\d+([.,]\d*)?|[.,]\d+)\s*%?")


def read_number(text: str) -> float | None:
    """The number that a person typed, with a point or a comma and perhaps a per cent sign; None for anything else."""
    trimmed = text.strip()
    if len(trimmed) > 24 or not _NUMBER.fullmatch(trimmed):
        return None
    number = float(trimmed.rstrip("% ").replace(",", ".").replace("−", "-"))
    return number if math.isfinite(number) else None


def no_number(text: str) -> Verdict:
    """For what :func:`read_number` could not read."""
    came = f"“{text.strip()[:40]}” is not a number." if text.strip() else "There is no answer yet."
    return wrong(f"{came} Type digits, such as 12 or 0.5.")
