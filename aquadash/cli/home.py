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
    "--from",
    "source",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that was AQUADASH_HOME then. Default: the present one.",
)
def upgrade(source: Path | None) -> None:
    """Bring over the runs, searches and waiting jobs of version 0.6.0 or 0.7; stop that version first.

    Nothing of the old folder is changed or deleted.
    """
    with StatusLine() as line:
        done = lab.home.upgrade(source, progress=line.progress)
    searches = f"{done.searches} search{'es' * (done.searches != 1)}"
    said = f"{done.runs} runs ({done.in_bin} in the bin) and {searches} of {done.source} are here."
    print_result(
        asdict(done),
        said,
        f"{done.already} were here already." if done.already else "",
        f"{done.queued} wait again." if done.queued else "",
        f"{done.interrupted} were at work and are interrupted: runs resume goes on with one."
        if done.interrupted
        else "",
        *(f"Not read: {line}" for line in done.damaged),
    )
