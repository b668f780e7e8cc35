"""The columns of the table of runs: what each is called, holds and looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from aquadash.errors import AquaDashError
from aquadash.evaluation.intervals import wilson_interval
from aquadash.runs.fields import PERCENT, Kind, RunField, known_fields
from aquadash.runs.types import Run
from aquadash.settings import classroom as in_class
from aquadash.settings import place
from aquadash.ui import hyperparameters as settings
from aquadash.ui.components import status_text
from aquadash.ui.lab import lab

#: Columns that are no fields, with their titles and their help.
EXTRA: dict[str, tuple[str, str]] = {
    "interval": (
        "95 % interval",
        "Where the true test accuracy probably lies: 95 of 100 such intervals contain it.",
    ),
    "curve": ("Validation curve", "Validation accuracy by epoch."),
}

DEFAULT = (
    "name", "status", "test_accuracy", "interval", "curve", "val_accuracy", "tags", "best_epoch", "epochs",
    "data.source", "model.name", "augmentation.pipeline", "created", "note", "run_id",
)  # fmt: skip


def usual() -> tuple[str, ...]:
    """The columns of a table that nobody has changed.

    In a class they say whose a run is, and compare by validation as the board does; the test's can be chosen.
    """
    if not in_class():
        return DEFAULT
    return (DEFAULT[0], "owner", *(name for name in DEFAULT[1:] if name not in ("test_accuracy", "interval")))


#: The most predictions that are opened in one drawing to learn how many test images an older run has predicted.
_MOST_OPENED = 40


def title(name: str) -> str:
    """A column's head: what people call the field."""
    if name in EXTRA:
        return EXTRA[name][0]
    return known_fields()[name].title if name in known_fields() else settings.label(name)


def title_with_name(name: str) -> str:
    """For menus of all fields: the title and, of a setting, its dotted name."""
    return f"{title(name)} ({name})" if "." in name else title(name)


def choices(fields: Mapping[str, RunField]) -> list[str]:
    """Every column that can be chosen, the usual ones first."""
    first = usual()
    return [*first, *(name for name in (*EXTRA, *fields) if name not in first)]


def value_text(name: str, value: Any) -> str:
    """A field's value for people, as in a menu: ``"Adam"``, ``"61.4 %"``, ``"unknown"``."""
    if value is None:
        return "unknown"
    if name == "status":
        return str(value)
    if "." in name or name == "seed":
        return settings.value_text(name, value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def frame(runs: Sequence[Run], columns: Sequence[str], fields: Mapping[str, RunField]) -> pd.DataFrame:
    """The table: a row a run. Accuracies are in per cent; what is not known yet is empty."""
    opened = [0]
    table = {title(name): [_cell(run, name, fields, opened) for run in runs] for name in columns}
    return pd.DataFrame(table, index=range(len(runs)))


def config(columns: Sequence[str], fields: Mapping[str, RunField], *, digits: int) -> dict[str, Any]:
    """How Streamlit shows each column.

    Args:
        columns: Their names.
        fields: All fields.
        digits: After the point of fractions whose field does not say: those of the test accuracy.
    """
    return {title(name): _column(name, fields, digits) for name in columns}


def number_format(field: RunField, digits: int | None) -> str | None:
    """How Streamlit writes the field's numbers, in their unit.

    Args:
        field: A number.
        digits: After the point; None as many as a number has.
    """
    return None if digits is None else f"%.{digits}f {field.unit.replace('%', '%%')}".rstrip()


def interval(run: Run, opened: list[int] | None = None) -> tuple[float, float] | None:
    """The 95 % interval of the run's test accuracy, 0 to 1; None without predictions.

    Args:
        run: Which.
        opened: How many files have been opened so far, which is counted on; None to open one in any case.
    """
    accuracy = run.metrics.get("test_accuracy")
    if accuracy is None or not run.status.ended:
        return None
    tested = run.test_images
    if tested is None and (opened is None or opened[0] < _MOST_OPENED):
        if opened is not None:
            opened[0] += 1
        tested = _tested(place(), run.run_id, run.ended_at)
    return wilson_interval(round(accuracy * tested), tested) if tested else None


def accuracy_digits(runs: Sequence[Run]) -> int:
    """Digits after the point that the narrowest interval of the runs supports."""
    most = max((run.test_images or 0 for run in runs if "test_accuracy" in run.metrics), default=0)
    # The interval of a share of one half is the widest; it is 2 % wide at 9,600 images.
    return 1 if most >= 9600 else 0


def _cell(run: Run, name: str, fields: Mapping[str, RunField], opened: list[int]) -> Any:
    if name == "interval":
        return _interval_text(interval(run, opened))
    if name == "curve":
        return list(run.curve)
    if name == "name":
        return f"{'📌 ' if run.pinned else ''}{'🗃️ ' if run.archived else ''}{run.name}"
    if name == "status":
        return status_text(run.status)
    if name == "run_id":
        return run.run_id[:8]
    if name == "owner":
        return run.owner_name or "everybody"
    field = fields[name]
    value = field.get(run)
    if value is None:
        return None
    if field.kind is Kind.TIME:
        return datetime.fromtimestamp(value)
    if field.kind is Kind.TEXTS:
        return list(value)
    if field.kind is Kind.NUMBER:
        return field.scale * value
    return value_text(name, value)


def _column(name: str, fields: Mapping[str, RunField], digits: int) -> Any:
    if name == "curve":
        return st.column_config.LineChartColumn(y_min=0.0, y_max=1.0, width="small", help=EXTRA[name][1])
    if name == "interval":
        return st.column_config.TextColumn(help=EXTRA[name][1])
    field = fields[name]
    match field.kind:
        case Kind.TIME:
            return st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", help=field.help)
        case Kind.TEXTS:
            return st.column_config.ListColumn(help=field.help)
        case Kind.NUMBER:
            shown = digits if field.unit == PERCENT and field.digits is None else field.digits
            return st.column_config.NumberColumn(format=number_format(field, shown), help=field.help)
    wide = name in ("name", "note", "message")
    return st.column_config.TextColumn(
        pinned=name == "name", width="medium" if wide else None, help=None if name == "name" else field.help
    )


def _interval_text(found: tuple[float, float] | None) -> str:
    if found is None:
        return ""
    digits = 0 if found[1] - found[0] > 0.02 else 1
    return f"{100 * found[0]:.{digits}f} to {100 * found[1]:.{digits}f} %"


@st.cache_resource(max_entries=4096, show_spinner=False)
def _tested(place: str, run_id: str, ended_at: float | None) -> int | None:
    """How many test images a run of an older version predicted, None if that cannot be read."""
    try:
        return len(lab().runs.predictions(run_id).labels)
    except AquaDashError:
        return None
