"""Shared parts of all commands: the lab, ``--json``, tables, and a line of progress on stderr."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from aquadash.cli.describe import Table, describe, named
from aquadash.lab import OWNER, Lab

if TYPE_CHECKING:
    from rich.progress import Progress

#: Commands act as the owner of the machine.
lab = Lab(OWNER)

run_argument = click.argument("run", type=lab.runs.find)
#: The types of arguments that name a path, a file, or a folder that exists.
PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


class NumberRange(click.FloatRange):
    """A range of numbers that refuses NaN, which click 8 accepts in any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        return self.fail(f"{value} is not a number.", param, ctx) if math.isnan(number) else number


_AS_JSON = "aquadash.as_json"

#: Control characters, which a terminal may obey, and lone surrogates, which Python makes of the bytes of a file's name
#: that are not UTF-8.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

json_flag = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="Print one JSON object and nothing else.",
    callback=lambda context, _, value: context.meta.update({_AS_JSON: value}),
)


class Command(click.Command):
    """A command with ``--json``; it passes its result to :func:`print_result`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        json_flag(self)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


def attributes(record: object, *names: str) -> dict[str, Any]:
    """Return these attributes of a record by their names, for a result."""
    return {name: getattr(record, name) for name in names}


class Shown:
    """One value of a result by its name; of its records only these columns, or all that have a value."""

    def __init__(self, name: str, *columns: str) -> None:
        self.name = name
        self.columns = columns


def plain(text: str) -> str:
    """Return untrusted text, such as an imported run's note, with a visible mark for each control character."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def print_result(values: Mapping[str, Any], *text: str | Table | Shown) -> bool:
    """Print the values as JSON after ``--json``, else the parts of the text, or by one rule all values."""
    as_json: bool = click.get_current_context().meta[_AS_JSON]
    dumped = json.dumps(values, ensure_ascii=False, default=os.fspath)
    if as_json:
        # JSON need not escape some characters that terminals obey.
        printed = plain(re.sub("[\x7f-\x9f]", lambda match: f"\\u{ord(match[0]):04x}", dumped))
    else:
        # JSON's own types: lists for tuples, texts for keys.
        result = json.loads(dumped)
        parts = [
            describe(result, part.name, part.columns) if isinstance(part, Shown) else part
            for part in text or map(Shown, named(result))
        ]
        printed = _joined(filter(None, parts))
    click.echo(printed)
    return as_json


def _joined(parts: Iterable[str | Table]) -> str:
    """Return the parts below one another, an empty line above and below each table."""
    lines: list[str] = []
    after_table = False
    for part in parts:
        if lines and (after_table or isinstance(part, Table)):
            lines.append("")
        lines.append(plain(part) if isinstance(part, str) else _draw(part))
        after_table = isinstance(part, Table)
    return "\n".join(lines)


def _draw(table: Table) -> str:
    """Return a table as lines: a terminal breaks long texts between words, a file gets whole lines."""
    from rich.console import Console
    from rich.table import Table as RichTable

    terminal = sys.stdout.isatty()
    console = Console(
        force_terminal=terminal, width=None if terminal else 100_000, markup=False, emoji=False, highlight=False
    )
    drawn = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, title in enumerate(table.header):
        cells = [plain(str(row[number])) for row in table.rows]
        is_number = all(re.fullmatch(r"[-+]?\d[\d,.e+-]*( %| s)?|", cell) for cell in cells)
        # Rich shortens the columns that may wrap first, so numbers and ids stay whole.
        short = max(map(len, cells), default=0) <= 12
        drawn.add_column(
            plain(str(title)), justify="right" if is_number else "left", overflow="ellipsis", no_wrap=short
        )
    for row in table.rows:
        drawn.add_row(*(plain(str(cell)) for cell in row))
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without the lines that its compiled part prints to stderr at every log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class StatusLine:
    """One line on stderr that is drawn over again; on a pipe, a line only when the text's beginning changes."""

    _bar: Progress | None = None
    _last = ""

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            words = [TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[tail]")]
            self._bar = Progress(words[0], BarColumn(20), words[1], console=Console(stderr=True, emoji=False))
            self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, head: str, fraction: float | None = None, tail: str = "") -> None:
        """Draw the name of the work, the bar (``fraction`` 0 to 1, None while unknown), and speed or time left."""
        head, tail = plain(head), plain(tail)
        if self._bar is None:
            if head != self._last:
                click.echo(head, err=True)
            self._last = head
            return
        if not self._bar.task_ids:
            self._bar.add_task(head, total=None, tail="")
        (task,) = self._bar.task_ids
        total = None if fraction is None else 1.0
        self._bar.update(task, description=head, total=total, completed=fraction or 0.0, tail=tail)

    def progress(self, text: str, fraction: float | None) -> None:
        """Draw the line as the data and augmentation rooms report it."""
        self.show(text, fraction, "" if fraction is None else f"{fraction:.0%}")
