"""The plain values of any result as lines and tables for people."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from aquadash.evaluation import METRICS
from aquadash.store.fields import FIGURES, figure_named

#: Tables show the beginning of the ids of runs and of fingerprints, which is enough for a command.
_LONG_ID = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24,}\b")


class Table(NamedTuple):
    """Rows under a header, which has as many cells as each of them."""

    rows: Sequence[Sequence[object]]
    header: Sequence[str]


def describe(values: Mapping[str, Any], name: str, columns: Sequence[str] = ()) -> str | Table:
    """Describe one value of a result; empty for what is empty.

    A scalar is a line, a list of records or of lists a table, a mapping of records a table with its keys first, and any
    other mapping lines. A number has the unit of the figure of its name, and ``NAME_ci95`` stands behind ``NAME``.

    Args:
        values: The result, as JSON has it.
        name: The value's key; ``report.findings`` is in a record.
        columns: Of a table: their names, such as ``metrics.seconds``; none for all in which something stands.
    """
    values = _flat(values) | dict(values)
    value, label = values.get(name), _label(name.rpartition(".")[2])
    if value is None or value in ("", [], {}):
        return ""
    if _is_scalar(value):
        return f"{METRICS[name].title if name in METRICS else label}: {_cell(values, name)}"
    if isinstance(value, Mapping):
        rows = [{label: key} | _record(one) for key, one in value.items()]
        if not columns and any(row.keys() != rows[0].keys() or _is_scalar(value[row[label]]) for row in rows):
            flat = _flat(value)
            lines = [f"  {_label(key)}: {text}" for key in named(flat) if (text := _cell(flat, key))]
            return "\n".join([f"{label}:", *lines])
    else:
        rows = [_record(one) for one in value]
    flat_rows = [_flat(row) | (row if columns else {}) for row in rows]
    if chosen := bool(columns):
        # Leave out rows without these columns, such as a mean beside the records.
        flat_rows = [row for row in flat_rows if any(row.get(column) is not None for column in columns)]
        columns = (label, *columns) if isinstance(value, Mapping) else columns
    cells: dict[str, list[str]] = {}
    for column in columns or dict.fromkeys(name for row in flat_rows for name in named(row)):
        texts = [_text(column, row.get(column)) if chosen else _cell(row, column) for row in flat_rows]
        if {*texts} - {"", "no"}:
            cells[column] = [_LONG_ID.sub(r"\1", text) for text in texts]
    return Table(list(zip(*cells.values(), strict=True)), [_label(column) for column in cells]) if cells else ""


def named(record: Mapping[str, Any]) -> list[str]:
    """Return the names in a record without the intervals of others."""
    return [name for name in record if name.removesuffix("_ci95") not in record.keys() - {name}]


def _label(name: str) -> str:
    """Return a name in words; a dotted one stays as commands take it, such as ``--set training.epochs=20``."""
    name = name.removeprefix("metrics.")
    return name if "." in name else name.replace("_", " ")


def _is_scalar(value: object) -> bool:
    if isinstance(value, list):
        return not any(isinstance(one, Mapping | list) for one in value)
    return not isinstance(value, Mapping)


def _record(value: object) -> dict[str, Any]:
    """Return a row of a table by the names of its columns; the columns of a list are numbers from 1."""
    if isinstance(value, Mapping):
        return dict(value)
    return {str(number): one for number, one in enumerate(value if isinstance(value, list) else [value], start=1)}


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with dotted names for what is within records in it."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        inner = _flat(value) if isinstance(value, Mapping) else {}
        flat |= {f"{key}.{name}": one for name, one in inner.items()} if inner else {key: value}
    return flat


def _cell(record: Mapping[str, Any], name: str) -> str:
    """Return one value of a record as text, with its interval."""
    text, interval = _text(name, record.get(name)), record.get(f"{name}_ci95")
    return f"{text} ({_text(name, interval)})" if interval else text


def _text(name: str, value: object) -> str:
    """Return a value on a line; of lists of records, how many there are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_text(key, one)}" for key, one in value.items())
    if isinstance(value, list):
        if not _is_scalar(value):
            return f"{len(value):,}"
        # A name with a dot is a setting, whose two values are no interval.
        is_interval = "." not in name and len(value) == 2 and all(isinstance(one, float) for one in value)
        return (" to " if is_interval else ", ").join(_text(name, one) for one in value)
    if isinstance(value, int | float):
        return (
            datetime.fromtimestamp(value).strftime("%Y-%m-%d %H:%M") if name.endswith("_at") else _number(name, value)
        )
    return str(value)


def _number(name: str, value: float) -> str:
    """Return a number with its unit; ``test_accuracy.mean`` has that of the accuracy. Whole numbers are counts."""
    if isinstance(value, int):
        return f"{value:,}"
    for part in reversed(name.replace("_ci95", "").split(".")):
        if part in METRICS:
            return METRICS[part].text(value)
        if part in FIGURES or part.endswith(("accuracy", "loss")):
            return figure_named(part).text(value)
    return f"{value:z,.4g}"
