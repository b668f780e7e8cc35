"""What all commands share: the lab, ``--json``, tables, and a line of progress on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import click

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


class Table(NamedTuple):
    """Rows under a header, which has as many cells as each of them."""

    rows: Sequence[Sequence[object]]
    header: Sequence[str]


def plain(text: str) -> str:
    """Text of whatever origin, such as an imported run's note, with a visible mark for what no terminal should get."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def print_result(values: Mapping[str, Any], *text: str | Table) -> bool:
    """Print what a command found out: the values where ``--json`` was given, else the lines and tables for people.

    Returns:
        Whether it was JSON.
    """
    as_json: bool = click.get_current_context().meta[_AS_JSON]
    if as_json:
        dumped = json.dumps(values, ensure_ascii=False, allow_nan=True)
        # Terminals obey some that JSON need not escape; whoever reads it gets them as they were.
        printed = plain(re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", dumped))
    else:
        printed = "\n".join(plain(part) if isinstance(part, str) else _draw(part) for part in text)
    click.echo(printed)
    return as_json


def _draw(table: Table) -> str:
    """A table as lines: in a terminal no wider than that, elsewhere as wide as its cells.

    Where room is short, numbers and ids stay whole, and longer texts are broken between their words.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table as RichTable

    terminal = sys.stdout.isatty()
    console = Console(
        force_terminal=terminal, width=None if terminal else 100_000, markup=False, emoji=False, highlight=False
    )
    header, *rows = [[plain(str(cell)) for cell in row] for row in (table.header, *table.rows)]
    columns = [[row[index] for row in rows] for index in range(len(header))]
    widths = [max(map(cell_len, (title, *column))) for title, column in zip(header, columns, strict=True)]
    narrow = sum(widths) + 2 * (len(widths) - 1) > console.width
    if narrow:
        least = []
        for title, column in zip(header, columns, strict=True):
            longest = max(map(cell_len, column), default=0)
            words = [cell_len(word) for text in (title, *column) for word in text.split()]
            least.append(max(longest, *map(cell_len, title.split()), 0) if longest <= 12 else min(max(words), 10))
        while sum(widths) + len(widths) - 1 > console.width and widths != least:
            index = max(range(len(widths)), key=lambda i: widths[i] - least[i])
            widths[index] -= 1
    drawn = RichTable(box=None, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0))
    for title, column, width in zip(header, columns, widths, strict=True):
        number = all(re.fullmatch(r"[-+]?\d[\d,.]*( %| s)?|", cell) for cell in column)
        drawn.add_column(title, justify="right" if number else "left", overflow="ellipsis", width=width)
    for row in rows:
        drawn.add_row(*row)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def percent(fraction: float) -> str:
    """A fraction of 0 to 1 as "56.2 %"."""
    return f"{100 * fraction:.1f} %"


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without the lines that its compiled part prints whatever its log level is.

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
            head: What is being done.
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
