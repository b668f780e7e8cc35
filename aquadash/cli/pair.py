"""``pair``: the same training with and without a pipeline, and what the pipeline changed."""

from __future__ import annotations

from typing import Any

import click

from aquadash.cli.config_options import GivenConfig, config_options
from aquadash.cli.output import json_option, percent, show, table
from aquadash.cli.train import wait
from aquadash.errors import RunError
from aquadash.evaluation import PairedChange, verdict
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import RunStatus
from aquadash.runs.measured import Images
from aquadash.runs.pairs import Pair, find_pair, pairs


@click.group(invoke_without_command=True)
@click.option("--pipeline", "pipeline_name", help="What is tried: a built-in or saved pipeline.")
@config_options(of="both", seed=True)
@click.option("--name", help="What the two are about; their names begin with it.")
@click.option("--same-updates", is_flag=True, help="More epochs without the pipeline, for as many weight updates.")
@click.option("--wait/--no-wait", "waits", default=True, show_default=True, help="Wait for both and tell the change.")
@json_option
@click.pass_context
def pair(
    context: click.Context,
    pipeline_name: str | None,
    given: GivenConfig,
    name: str | None,
    same_updates: bool,
    waits: bool,
    as_json: bool,
) -> None:
    """Train with and without a pipeline: the same settings, the same seed, and the change in accuracy.

    With --no-wait both are only put into the queue, from where the app takes them when it starts. Ctrl-C asks the run
    at work to stop.
    """
    if context.invoked_subcommand is not None:
        return
    if not pipeline_name:
        raise click.UsageError("Missing option '--pipeline': name the pipeline to try.", context)
    config = given.build()
    from aquadash.engine import open_engine

    lab = Lab(OWNER)
    with open_engine():
        made = lab.runs.train_pair(config, pipeline_name, same_updates=same_updates, name=name)
        if waits:
            for run in made:
                ended = wait(lab, run.run_id)
                if ended.status is not RunStatus.FINISHED:
                    for other in made:
                        if not lab.runs.get(other.run_id).status.ended:
                            lab.runs.stop(other.run_id)
                    raise RunError(f"{ended.name} {ended.status}: {ended.message or 'it was cut off; resume it'}")
    found = find_pair(lab.runs.all(), made[0].pair_id)
    if not waits:
        show(found.to_dict(), as_json=as_json, text=lambda: f"Queued the pair {found.pair_id}: {found.title}")
        return
    _tell(found, "validation", as_json=as_json)


@pair.command("result")
@click.argument("pair_id")
@click.option(
    "--test",
    "on_test",
    is_flag=True,
    help="On the test images: for the last measurement, when nothing is chosen any more.",
)
@json_option
def pair_result(pair_id: str, on_test: bool, as_json: bool) -> None:
    """Tell the change in accuracy of a pair, overall and class by class, on the validation images."""
    _tell(find_pair(Lab(OWNER).runs.all(), pair_id), "test" if on_test else "validation", as_json=as_json)


@pair.command("list")
@json_option
def pair_list(as_json: bool) -> None:
    """List the pairs, newest first."""
    known = pairs(Lab(OWNER).runs.all())

    def text() -> str:
        rows = [
            (each.pair_id, each.title, each.pipeline, *(str(run.status) if run else "gone" for run in _both(each)))
            for each in known
        ]
        return table(rows, header=("pair", "title", "pipeline", "without", "with")) if rows else "There are no pairs."

    show({"pairs": [each.to_dict() for each in known]}, as_json=as_json, text=text)


def _both(each: Pair) -> tuple[Any, Any]:
    return each.without, each.with_it


def _tell(found: Pair, images: Images, *, as_json: bool) -> None:
    result = Lab(OWNER).runs.change(found, images)
    values = {**found.to_dict(), "images": images, **result.to_dict()}
    show(values, as_json=as_json, text=lambda: _text(found, result, images))


def _text(found: Pair, result: PairedChange, images: Images) -> str:
    rows = [
        (
            row.label,
            row.n,
            percent(row.before),
            percent(row.after),
            f"{100 * row.change:+.1f} ({100 * row.interval[0]:+.1f} to {100 * row.interval[1]:+.1f})",
        )
        for row in (result.overall, *result.classes)
    ]
    header = ("class", "images", "without", "with", "change in points (95 % interval)")
    return f"{found.title} ({found.pair_id})\n{verdict(result, images=images)}\n\n{table(rows, header=header)}"
