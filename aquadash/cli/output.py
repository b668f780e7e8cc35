"""What all commands share: the lab, ``--json``, tables, and a line of progress on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

import click

from aquadash.cli.describe import Table, describe, named
from aquadash.lab import OWNER, Lab

if TYPE_CHECKING:
    from rich.progress import Progress

#: Commands do things in the name of the owner of the machine.
lab = Lab(OWNER)

_AS_JSON = "aquadash.as_json"

#: What a terminal may obey instead of showing it, and halves of characters, which nobody can read: Python has those for
#: the bytes of a file's name that are not UTF-8.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

json_flag = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="Print one JSON object and nothing else.",
    # A group and its command share what is noted here: either may be given it.
    callback=lambda context, _, value: context.meta.update({_AS_JSON: value or context.meta.get(_AS_JSON, False)}),
)


class Command(click.Command):
    """A command that takes ``--json``, as all do: it hands what it found out to :func:`print_result`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        json_flag(self)


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


class Shown:
    """One value of a result, by its name, for :func:`print_result`.

    Args:
        name: Its key in the result.
        columns: The columns that people see of its records; ``metrics.seconds`` is in a record of a record. Left out,
            all that say something.
    """

    def __init__(self, name: str, *columns: str) -> None:
        self.name = name
        self.columns = columns


def plain(text: str) -> str:
    """Return untrusted text, such as an imported run's note, with a visible mark for each control character."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def print_result(values: Mapping[str, Any], *text: str | Table | Shown) -> bool:
    """Print what a command found out: the values where ``--json`` was given, else what people read."""
    as_json: bool = click.get_current_context().meta[_AS_JSON]
    dumped = json.dumps(values, ensure_ascii=False, allow_nan=True)
    if as_json:
        # Terminals obey some that JSON need not escape; whoever reads it gets them as they were.
        printed = plain(re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", dumped))
    else:
        # As JSON has them: lists for tuples, texts for keys.
        found = json.loads(dumped)
        shown = (
            describe(found, part.name, part.columns) if isinstance(part, Shown) else part
            for part in text or map(Shown, named(found))
        )
        printed = _joined(part for part in shown if part)
    click.echo(printed)
    return as_json


def _joined(parts: Iterable[str | Table]) -> str:
    """The parts below one another, an empty line above and below each table."""
    lines: list[str] = []
    after_table = False
    for part in parts:
        if lines and (after_table or isinstance(part, Table)):
            lines.append("")
        lines.append(plain(part) if isinstance(part, str) else _draw(part))
        after_table = isinstance(part, Table)
    return "\n".join(lines)


def _draw(table: Table) -> str:
    """A table as lines: in a terminal no wider than that, elsewhere as wide as its cells.

    Where room is short, numbers and ids stay whole, and longer texts are broken between their words.
    """
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
        # Rich shortens what may be wrapped first, so numbers and ids stay whole.
        short = max(map(len, cells), default=0) <= 12
        drawn.add_column(
            plain(str(title)), justify="right" if is_number else "left", overflow="ellipsis", no_wrap=short
        )
    for row in table.rows:
        drawn.add_row(*(plain(str(cell)) for cell in row))
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def percent(fraction: float) -> str:
    """A fraction of 0 to 1 as "56.2 %"."""
    return f"{100 * fraction:.1f} %"


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without the lines that its compiled part prints at every log level.

    A command's stderr holds progress and, at most, one line of error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


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
        """Draw the line.

        Args:
            head: The name of the work.
            fraction: How much of it is done, 0 to 1, None while unknown.
            tail: Speed, remaining time and the like.
        """
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
        """The form in which the data and augmentation rooms report."""
        self.show(text, fraction, "" if fraction is None else f"{fraction:.0%}")
