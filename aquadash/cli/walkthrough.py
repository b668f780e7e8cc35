"""``walkthrough``: the report's figures beside a run's."""

from __future__ import annotations

import click

from aquadash.cli.output import json_option, show, table
from aquadash.lab import Lab
from aquadash.people import OWNER


@click.group()
def walkthrough() -> None:
    """The report as a lesson."""


@walkthrough.command()
@click.option("--run", required=True, metavar="RUN", help="The run that stands beside the report.")
@json_option
def report(run: str, as_json: bool) -> None:
    """Put the report's figures beside those of a finished run."""
    from aquadash import data
    from aquadash.walkthrough.beside import beside, learnt_from, shown

    lab = Lab(OWNER)
    found, images = lab.runs.find(run), None
    source = data.SOURCES.get(found.config.data.source)
    if source is not None and source.key() is not None:
        images = learnt_from(found.config, lab.data.load(source.name))
    result = beside(
        found,
        lab.runs.evaluation(found.run_id),
        lab.runs.history(found.run_id),
        # None where the network is gone while its results are there.
        parameters=lab.runs.cost(found.run_id).parameters,
        training_images=images,
    )

    def text() -> str:
        rows = [(row.figure, shown(row, row.report), shown(row, row.run), row.note) for row in result.rows]
        low, high = (100 * end for end in result.difference_ci95)
        difference = (
            f"Accuracy of the run less that of the report: {100 * result.difference:+.1f} points "
            f"(95 % interval {low:+.1f} to {high:+.1f})"
        )
        return "\n".join([table(rows, header=("figure", "report", found.name, "mind")), "", difference])

    show({"run_id": found.run_id, **result.to_dict()}, as_json=as_json, text=text)
