"""What the coach says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Level = Literal["warning", "hint", "good"]

#: From the most to the least important.
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Note:
    """One thing worth knowing. Its texts are plain text, not markup, and may hold names of classes."""

    #: Which rule it comes from, such as ``"overfitting"``; a list of notes holds each key once.
    key: str
    #: ``warning`` for what spoils a result, ``hint`` for what could be better, ``good`` for good news.
    level: Level
    #: The finding in a few words.
    title: str
    #: What it rests on, with numbers, and what follows from it.
    evidence: str
    #: Dotted settings to try instead, with their values; empty where no change is the clear next step.
    changes: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def epoch_count(number: float) -> str:
    """``"1 epoch"``, ``"2.5 epochs"``."""
    return f"{number:g} epoch{'' if number == 1 else 's'}"


def by_importance(notes: Iterable[Note]) -> list[Note]:
    """The notes that there are, each key once: warnings, hints, good news, within each the order they came in."""
    kept: dict[str, Note] = {}
    for note in notes:
        kept.setdefault(note.key, note)
    return sorted(kept.values(), key=lambda note: LEVELS.index(note.level))
