"""Everything of a run that a table can show, sort by, filter by or group by, under one name each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any

from aquadash.config import DEFINITIONS, SETTINGS
from aquadash.runs.types import Run, RunStatus


class Kind(StrEnum):
    """What the values of a field are."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "true or false"
    TEXTS = "list of texts"
    NUMBERS = "list of numbers"
    TIME = "time"


_KINDS = {bool: Kind.TRUTH, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT, tuple: Kind.NUMBERS}


@dataclass(frozen=True)
class RunField:
    """One field.

    Attributes:
        name: How expressions, commands and addresses call it: ``"training.epochs"``, ``"val_accuracy"``.
        kind: What its values are.
        help: One line for people.
        get: Its value of a run, None while unknown. A time is in seconds since 1970 UTC.
        share: Whether it is a share from 0 to 1 that people read as per cent.
    """

    name: str
    kind: Kind
    help: str
    get: Callable[[Run], Any]
    share: bool = False


#: The figures that runs end with, and what they mean. Whatever else a run has in its metrics is a field, too.
METRICS: dict[str, str] = {
    "test_accuracy": "Share of the test images that it gets right, 0 to 1.",
    "test_loss": "Loss on the test images.",
    "unseen_test_accuracy": "The same of those test images that were not used for validation, 0 to 1.",
    "val_accuracy": "Share of the validation images that the kept weights get right, 0 to 1; the last epoch's while it "
    "runs.",
    "val_loss": "Loss of the kept weights on the validation images.",
    "best_epoch": "The epoch whose weights were kept.",
    "epochs": "Epochs that it took.",
    "seconds": "Seconds that it trained.",
}


def run_fields(runs: Iterable[Run] = ()) -> dict[str, RunField]:
    """All fields by name: what is written on a run, its figures, then its settings.

    Args:
        runs: Whose metrics are fields even if only these runs have them.
    """
    known = dict(_known())
    for run in runs:
        for name in run.metrics.keys() - known.keys():
            known[name] = _metric(name, "A figure that some runs have.")
    return known


@cache
def _known() -> dict[str, RunField]:
    own = [
        RunField("name", Kind.TEXT, "What people call it.", lambda run: run.name),
        RunField("owner", Kind.TEXT, "Who trained it, in a class.", lambda run: run.owner_name),
        RunField(
            "status", Kind.TEXT, "queued, running, finished, stopped, failed, interrupted or unreadable.", _status
        ),
        RunField("tags", Kind.TEXTS, "The tags that people gave it.", lambda run: run.tags),
        RunField("note", Kind.TEXT, "What people wrote about it.", lambda run: run.note),
        RunField("pinned", Kind.TRUTH, "Whether it stands first.", lambda run: run.stands_first),
        RunField("archived", Kind.TRUTH, "Whether tables leave it out.", lambda run: run.archived),
        RunField("trial", Kind.TRUTH, "Whether it is a trial of a search.", lambda run: bool(run.search_id)),
        RunField("repeat", Kind.TRUTH, "Whether it repeats another run.", lambda run: bool(run.repeats)),
        RunField("created", Kind.TIME, "When it was made, as '2026-11-25' or '2026-11-25 14:30'.", _created),
        RunField("duration", Kind.NUMBER, "Seconds from its start to its end.", duration),
        RunField("run_id", Kind.TEXT, "Its id.", lambda run: run.run_id),
        RunField("message", Kind.TEXT, "Why it failed or was stopped.", lambda run: run.message),
    ]
    metrics = [_metric(name, help) for name, help in METRICS.items()]
    settings = [
        RunField(name, _KINDS[record.kind], record.help, _setting_getter(name))
        for name, record in SETTINGS.items()
        if name != DEFINITIONS
    ]
    return {field.name: field for field in (*own, *metrics, *settings)}


def _status(run: Run) -> str:
    return str(run.status)


def _created(run: Run) -> float:
    return run.created_at


def duration(run: Run) -> float | None:
    """Seconds from the (latest) start of the run to its end, None before."""
    return None if run.started_at is None or run.ended_at is None else max(run.ended_at - run.started_at, 0.0)


def _metric(name: str, help: str) -> RunField:
    if name == "val_accuracy":
        return RunField(name, Kind.NUMBER, help, validation_accuracy, share=True)
    return RunField(name, Kind.NUMBER, help, lambda run: run.metrics.get(name), share=name.endswith("accuracy"))


def validation_accuracy(run: Run) -> float | None:
    """Of the kept weights; the last epoch's until they are chosen; None before the first epoch. 0 to 1."""
    return run.metrics.get("val_accuracy", run.curve[-1] if run.curve else None)


def _setting_getter(name: str) -> Callable[[Run], Any]:
    value = attrgetter(name)
    return lambda run: None if run.status is RunStatus.UNREADABLE else value(run.config)
