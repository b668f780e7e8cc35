"""``classroom board`` and ``project``: the class's board, and what the projector shows."""

from __future__ import annotations

import click

from aquadash.classroom import limits
from aquadash.cli.classroom import classroom
from aquadash.cli.output import json_option, percent, show, table
from aquadash.data import SOURCES
from aquadash.errors import AquaDashError, ConfigError, UnknownNameError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Run
from aquadash.runs.leaderboard import leaderboard, sources


@classroom.command()
@click.option("--source", help="The data set; by default the one that most students have trained on.")
@click.option(
    "--reveal/--cover", "shown", default=None,
    help="Rank by the test results, at the end, or by validation accuracy again.",
)  # fmt: skip
@json_option
def board(source: str | None, shown: bool | None, as_json: bool) -> None:
    """Show each student's best run, and places that luck does not decide."""
    lab = Lab(OWNER)
    runs = lab.runs.all()
    found = sources(runs)
    if source is not None and source not in (*found, *SOURCES):
        raise UnknownNameError.of("data set with runs of students", source, found)
    chosen = source or (found[0] if found else "synthetic")
    if shown is not None:
        lab.people.set_limits(limits.load().model_copy(update={"test_results_hidden": not shown}))

    def images(run: Run) -> int | None:
        try:
            predicted = lab.runs.validation_predictions(run.run_id)
        except AquaDashError:
            return None
        return None if predicted is None else len(predicted.labels)

    names = {member.person.person_id: member.person.name for member in lab.people.all()}
    made = leaderboard(
        runs,
        source=chosen,
        validation_images=images,
        test_results=not limits.in_force().test_results_hidden,
        names=names,
    )
    values = {
        "source": chosen,
        "measured_on": made.measured_on,
        "uncounted": made.uncounted,
        "entries": [
            {
                "place": entry.place, "name": entry.name, "person_id": entry.person_id, "run_id": entry.run.run_id,
                "accuracy": entry.accuracy, "accuracy_ci95": list(entry.interval), "images": entry.images,
                "runs": entry.tries,
            }
            for entry in made.entries
        ],
    }  # fmt: skip

    def text() -> str:
        rows = [
            [entry.place, entry.name, percent(entry.accuracy), " to ".join(map(percent, entry.interval)),
             entry.run.name, entry.tries]
            for entry in made.entries
        ]  # fmt: skip
        header = ("place", "student", f"{made.measured_on} accuracy", "95 % interval", "run", "runs")
        return table(rows, header=header) if rows else "Nobody is on the board yet."

    show(values, as_json=as_json, text=text)


@classroom.command("project")
@click.argument("page")
@click.argument("address", nargs=-1, metavar="[NAME=VALUE]...")
@json_option
def project(page: str, address: tuple[str, ...], as_json: bool) -> None:
    """Show a page on the projectors: project evaluate run=ID present=1."""
    query = {}
    for part in address:
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise ConfigError(f"{part[:80]!r} has no equals sign. Write it as NAME=VALUE: run=ID.")
        query[name] = value
    shown = Lab(OWNER).people.show(page, query)
    show({"page": shown.page, "query": shown.query}, as_json=as_json, text=lambda: f"The projectors show {shown.page}.")
