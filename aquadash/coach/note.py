"""The coach's note, and the rule that returns one for a run's settings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal, get_args

from aquadash.config import RunConfig

Level = Literal["warning", "hint", "good"]

#: From the most to the least important.
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Note:
    """A finding of the coach as plain text, which may hold names of classes."""

    #: ``warning``: it spoils the result; ``hint``: the result could be better; ``good``: good news.
    level: Level
    #: The rule's key, such as ``"overfitting"``; a list of notes holds each key once.
    key: str
    #: The finding in a few words.
    title: str
    #: The numbers behind it and what follows from them.
    evidence: str
    #: Dotted settings to try instead, with their values; empty without a clear next step.
    changes: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


#: Functions from key, title, evidence and changes to a :class:`Note`.
warning, hint, good = (partial(Note, level) for level in LEVELS)


@dataclass(frozen=True)
class Rule:
    """A rule on settings before training; its texts may name settings in braces, such as ``{training.epochs}``."""

    level: Level
    key: str
    applies: Callable[[RunConfig], bool]
    title: str | Callable[[RunConfig], str]
    evidence: str | Callable[[RunConfig], str]
    #: The changes to try.
    changes: Mapping[str, Any] | Callable[[RunConfig], Mapping[str, Any]]

    def __call__(self, config: RunConfig) -> Note | None:
        """Return the note on these settings, or None."""
        if not self.applies(config):
            return None
        title, evidence = (
            part(config) if callable(part) else part.format(training=config.training, model=config.model)
            for part in (self.title, self.evidence)
        )
        changes = self.changes(config) if callable(self.changes) else self.changes
        return Note(self.level, self.key, title, evidence, changes)


#: Functions from the parts of a :class:`Rule` after its level to the rule.
warning_rule, hint_rule = (partial(Rule, level) for level in LEVELS[:2])


def by_importance(notes: Iterable[Note]) -> list[Note]:
    """Return warnings, hints, then good news, each key once, in the order of the rules."""
    kept: dict[str, Note] = {}
    for note in notes:
        kept.setdefault(note.key, note)
    return sorted(kept.values(), key=lambda note: LEVELS.index(note.level))
