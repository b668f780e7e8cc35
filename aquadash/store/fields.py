"""The fields of a run that a table can show, sort by, filter by or group by."""

from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any

from aquadash.config import DEFINITIONS, SETTINGS
from aquadash.evaluation import METRICS, Metric
from aquadash.store.types import Run, RunStatus


class Kind(StrEnum):
    """The type of a field's values."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "true or false"
    TEXTS = "list of texts"
    NUMBERS = "list of numbers"
    TIME = "time"


_KINDS = {bool: Kind.TRUTH, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT, tuple: Kind.NUMBERS}


#: The unit of a fraction, which is stored from 0 to 1 and shown times 100.
PERCENT = "%"


@dataclass(frozen=True)
class RunField:
    """One field."""

    #: The name in conditions, commands and addresses: ``"training.epochs"``, ``"val_accuracy"``.
    name: str
    title: str
    kind: Kind
    #: A line of help for people.
    help: str
    #: The function that returns a run's value, None while unknown. Times are in seconds since 1970 UTC.
    get: Callable[[Run], Any]
    _: KW_ONLY
    #: The unit of a number: :data:`PERCENT`, ``"s"``, or empty.
    unit: str = ""
    #: Digits after the point. None: all digits of a number, and those of a fraction that its interval supports.
    digits: int | None = None
    #: Whether the value is computed from a run instead of stored. Commands print it among the run's metrics.
    computed: bool = False
    #: Whether groups of runs have a mean of it.
    grouped: bool = False

    @property
    def scale(self) -> int:
        """The factor from the stored to the shown number."""
        return 100 if self.unit == PERCENT else 1

    @property
    def mean_digits(self) -> int:
        """Digits after the point for the mean of several runs: one more than for a single value."""
        return 1 if self.digits is None else self.digits + 1

    def text(self, value: float) -> str:
        """Return a number for people, with its unit: ``"55.4 %"``, ``"1,024"``."""
        if self.unit == PERCENT:
            return f"{100 * value:.1f} %"
        number = f"{value:,.4g}" if self.digits is None else f"{value:,.{self.digits}f}"
        return f"{number} {self.unit}".rstrip()


def _figure(
    name: str, title: str, help: str, get: Callable[[Run], float | None] | None = None, **about: Any
) -> RunField:
    """Return the field of a figure; without ``get`` of the one that runs store under that name."""
    return RunField(name, title, Kind.NUMBER, help, get or (lambda run: run.metrics.get(name)), **about)


#: How to read the fields that are not the run's attribute of the same name.
_GETTERS: dict[str, Callable[[Run], Any]] = {
    "owner": lambda run: run.owner_name or "everybody",
    "status": lambda run: str(run.status),
    "trial": lambda run: bool(run.search_id),
    "repeat": lambda run: bool(run.repeats),
    "created": attrgetter("created_at"),
}


def _own(name: str, title: str, kind: Kind, help: str) -> RunField:
    """Return a field that is no figure."""
    return RunField(name, title, kind, help, _GETTERS.get(name, attrgetter(name)))


def _stored_metric(metric: Metric) -> RunField:
    """Return the field of a metric of the test images; accuracy and loss have records of their own."""
    unit, digits = (PERCENT, None) if metric.fraction else ("", metric.digits)
    help = f"{metric.title} on the test images."
    return _figure(metric.figure, metric.title, help, unit=unit, digits=digits)


def validation_accuracy(run: Run) -> float | None:
    """Return the accuracy of the kept weights, or of the last epoch while the run trains; None before that. 0 to 1."""
    last = run.curve[-1] if run.curve else None
    # A resumed run still has the metrics of its earlier end.
    return run.metrics.get("val_accuracy", last) if run.status.ended else last


#: The figures that runs end with. A new one needs a record here and, unless it is computed, the line that stores it.
#: :func:`run_fields` adds a field for each other metric of the runs.
FIGURES: dict[str, RunField] = {
    figure.name: figure
    for figure in (
        # Later records replace those of the same name.
        *(_stored_metric(metric) for metric in METRICS.values() if metric.stored),
        _figure(
            "test_accuracy",
            "Test accuracy",
            "Share of the test images that it gets right, 0 to 1.",
            unit=PERCENT,
            grouped=True,
        ),
        _figure("test_loss", "Test loss", "Loss on the test images.", digits=3),
        _figure(
            "unseen_test_accuracy",
            "Accuracy on unseen test images",
            "The same of those test images that were not used for validation, 0 to 1.",
            unit=PERCENT,
            digits=0,
        ),
        _figure(
            "val_accuracy",
            "Validation accuracy",
            "Share of the validation images that the kept weights get right, 0 to 1; the last epoch's while it runs.",
            validation_accuracy,
            unit=PERCENT,
            digits=0,
            grouped=True,
        ),
        _figure("val_loss", "Validation loss", "Validation loss of the kept weights.", digits=3),
        _figure("best_epoch", "Best epoch", "The epoch with the best monitored figure."),
        _figure("epochs", "Epochs", "Epochs that it took."),
        _figure("seconds", "Seconds of training", "Seconds that it trained.", unit="s", digits=0),
    )
}


def metrics_of(run: Run) -> dict[str, float]:
    """Return the figures of a run as commands print them: the stored ones, then the computed ones."""
    computed = {name: figure.get(run) for name, figure in FIGURES.items() if figure.computed}
    return run.metrics | {name: value for name, value in computed.items() if value is not None}


def run_fields(runs: Iterable[Run] = ()) -> dict[str, RunField]:
    """Return all fields by name, those of metrics that only some of ``runs`` have included."""
    fields = known_fields()
    return fields | {name: figure_named(name) for run in runs for name in run.metrics if name not in fields}


@cache
def known_fields() -> dict[str, RunField]:
    """Return the fields that every run has; the cached dict must not be changed."""
    own = [
        _own("name", "Name", Kind.TEXT, "What people call it."),
        _own("owner", "Whose", Kind.TEXT, "Whose it is in a class: a name, or everybody."),
        _own("status", "Status", Kind.TEXT, "queued, running, finished, stopped, failed, interrupted or unreadable."),
        _own("tags", "Tags", Kind.TEXTS, "The tags that people gave it."),
        _own("note", "Note", Kind.TEXT, "What people wrote about it."),
        _own("pinned", "Pinned", Kind.TRUTH, "Whether it stands first."),
        _own("archived", "Archived", Kind.TRUTH, "Whether tables leave it out."),
        _own("trial", "Trial of a search", Kind.TRUTH, "Whether it is a trial of a search."),
        _own("repeat", "Repeats a run", Kind.TRUTH, "Whether it repeats another run."),
        _own("created", "Created", Kind.TIME, "When it was made, as '2026-11-25' or '2026-11-25 14:30'."),
        _figure("duration", "Duration", "Seconds from its start to its end.", duration, unit="s", digits=0),
        _own("run_id", "Id", Kind.TEXT, "Its id."),
        _own("message", "Message", Kind.TEXT, "Why it failed or was stopped."),
    ]
    settings = [
        RunField(name, record.label, _KINDS[record.kind], record.help, _setting_getter(name))
        for name, record in SETTINGS.items()
        if name != DEFINITIONS
    ]
    return {field.name: field for field in (*own, *FIGURES.values(), *settings)}


def duration(run: Run) -> float | None:
    """Return the seconds from the latest start of the run to its end; None before the end."""
    return None if run.started_at is None or run.ended_at is None else max(run.ended_at - run.started_at, 0.0)


def figure_named(name: str) -> RunField:
    """Return the figure of that name; the name alone describes a figure of another version."""
    if name in FIGURES:
        return FIGURES[name]
    fraction, loss = name.endswith("accuracy"), name.endswith("loss")
    digits = 0 if fraction else 3 if loss else None
    return _figure(name, name, "A figure that some runs have.", unit=PERCENT if fraction else "", digits=digits)


def _setting_getter(name: str) -> Callable[[Run], Any]:
    value = attrgetter(name)
    return lambda run: None if run.status is RunStatus.UNREADABLE else value(run.config)
