"""``reproduce``: train a run once more from what is stored of it, and say whether the same came out."""

from __future__ import annotations

import click

from aquadash.cli.output import json_option, show, table
from aquadash.cli.train import wait
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import RunStatus


@click.command()
@click.argument("run")
@click.option("--against", metavar="RUN", help="Compare with this run, which is there already, instead of training.")
@json_option
def reproduce(run: str, against: str | None, as_json: bool) -> None:
    """Repeat a finished run from its stored config, seed and data, and compare the two number by number.

    On the same machine with the same versions everything is identical: metrics, weights and predictions.
    """
    lab = Lab(OWNER)
    run_id = lab.runs.find(run).run_id
    if against is not None:
        repeat_id = lab.runs.find(against).run_id
    else:
        from aquadash.engine import open_engine

        with open_engine():
            repeat_id = lab.runs.repeat(run_id).run_id
            ended = wait(lab, repeat_id)
        if ended.status is RunStatus.STOPPED:
            raise click.ClickException(f"The repeat {ended.name} was stopped, so there is nothing to compare.")
    found = lab.runs.reproduction(run_id, repeat_id)

    def text() -> str:
        if found.identical:
            lines = ["Identical: every number that came out is the same, bit by bit."]
        else:
            lines = [f"Not identical: the largest difference is {found.max_difference:.3g}."]
        rows = [
            (part.name, f"{part.count:,}", f"{part.different:,}", f"{part.max_difference:.3g}", part.where)
            for part in found.parts
        ]
        lines += ["", table(rows, header=("compared", "numbers", "different", "by at most", "where"))]
        if found.reasons:
            lines += ["", "What else differs, and may be why:", *(f"- {reason}" for reason in found.reasons)]
        elif not found.identical:
            lines += ["", "Versions, settings, data and processor are the same."]
        return "\n".join(lines)

    show(found.to_dict(), as_json=as_json, text=text)
