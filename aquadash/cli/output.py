"""What all commands share: ``--json``, tables of text, and a progress bar on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")


def show(values: Mapping[str, Any], *, as_json: bool, text: Callable[[], str]) -> None:
    """Print a command's result: the values as JSON, or the text for people."""
    printed = json.dumps(values, ensure_ascii=False, allow_nan=True) if as_json else text()
    # A file's name need not be UTF-8. Python has the bytes that are not as halves of characters, which nobody can read.
    click.echo(re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", printed))


def table(rows: Sequence[Sequence[object]], *, header: Sequence[str]) -> str:
    """Left-aligned columns under a header."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def percent(share: float) -> str:
    """A share of 0 to 1 as "56.2 %"."""
    return f"{100 * share:.1f} %"


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

    def __init__(self) -> None:
        self._interactive = sys.stderr.isatty()
        self._last = ""
        self._last_head = ""

    def __enter__(self) -> StatusLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._interactive and self._last:
            click.echo(err=True)

    def show(self, head: str, fraction: float | None = None, tail: str = "") -> None:
        """Draw the line.

        Args:
            head: What is being done.
            fraction: How much of it is done, 0 to 1, None while unknown.
            tail: Speed, remaining time and the like.
        """
        if not self._interactive:
            if head != self._last_head:
                click.echo(head, err=True)
            self._last_head = head
            return
        bar = ""
        if fraction is not None:
            filled = round(20 * min(max(fraction, 0.0), 1.0))
            bar = f" [{'#' * filled}{'-' * (20 - filled)}]"
        line = f"{head}{bar} {tail}".rstrip()[:118]
        click.echo("\r" + line.ljust(len(self._last)), nl=False, err=True)
        self._last = line

    def progress(self, text: str, fraction: float | None) -> None:
        """The form in which the data and augmentation rooms report."""
        self.show(text, fraction, "" if fraction is None else f"{fraction:.0%}")
