"""``home``: bring over what an earlier version has kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aquadash.cli.output import Group, StatusLine, lab, print_result


@click.group(cls=Group)
def home() -> None:
    """The folder AQUADASH_HOME."""


@home.command("upgrade")
@click.option(
    "--from", "source", type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that was AQUADASH_HOME then. Default: the present one.",
)  # fmt: skip
def upgrade(source: Path | None) -> None:
    """Bring over the runs, searches and waiting jobs of version 0.6.0 or 0.7; stop that version first.

    Nothing of the old folder is changed or deleted.
    """
    with StatusLine() as line:
        done = lab.home.upgrade(source, progress=line.progress)
    print_result(asdict(done))
