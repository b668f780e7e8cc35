"""``compare`` and ``reproduce``: runs beside each other, and a repeat."""

from dataclasses import asdict
from typing import Any

import click

from aquadash.cli.output import Command, Shown, lab, print_result, run_argument
from aquadash.cli.runs import brief
from aquadash.cli.waiting import wait_for_run
from aquadash.config import config_diff
from aquadash.errors import AquaDashError
from aquadash.store import Run, RunStatus
from aquadash.store.types import IMAGES, Images
from aquadash.work import queue

_IMAGES_HELP = "The images: validation images to choose between runs, test images for the last measurement."


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=lab.runs.find)
@click.option("--on", "images", type=click.Choice(IMAGES), default="test", help=_IMAGES_HELP)
def compare(runs: tuple[Run, ...], images: Images) -> None:
    """Compare runs: figures, the settings that differ, each pair image by image, and what the runs cost."""
    from aquadash.evaluation import METRICS, agreement_of, measured_together, pareto_front, scores, scores_to_dict

    runs = tuple({run.run_id: run for run in runs}.values())
    if len(runs) < 2:
        raise AquaDashError("Comparing takes at least two different runs.")
    compared = lab.runs.compare(runs, images)
    accuracy: list[dict[str, Any]] = []
    for run, predictions, measured, problem in zip(
        runs, compared.predictions, compared.evaluations, compared.errors, strict=True
    ):
        entry: dict[str, Any] = {"run_id": run.run_id, "n": 0, "accuracy_ci95": None, **dict.fromkeys(METRICS)}
        if predictions is not None and measured is not None:
            entry |= {"n": measured.n, **scores_to_dict(scores(measured, predictions))}
        accuracy.append(entry | {"error": problem or None})
    costs = [lab.runs.cost(run.run_id) for run in runs]
    together = measured_together(compared.pairs)
    # Runs can be ranked only on the same images.
    priced = [index for index in together if costs[index].seconds]
    front = pareto_front([costs[i].seconds or 0.0 for i in priced], [accuracy[i]["accuracy"] for i in priced])
    shared = [each for index in together if (each := compared.predictions[index]) is not None]
    pairs = [{"a": runs[test.a].run_id, "b": runs[test.b].run_id} | test.to_dict() for test in compared.pairs]
    values = {
        "on": images,
        "runs": [brief(run) for run in runs],
        "config_diff": config_diff([run.config for run in runs]),
        "accuracy": accuracy,
        # The first run against each other one; programs may read this older key.
        "mcnemar": [pair for pair in pairs if pair["a"] == runs[0].run_id],
        "pairs": pairs,
        "right_by": agreement_of(shared).counts.tolist() if len(shared) > 1 else None,
        "cost": [{"run_id": run.run_id} | asdict(cost) for run, cost in zip(runs, costs, strict=True)],
        "pareto_front": [runs[i].run_id for i, best in zip(priced, front, strict=True) if best],
    }
    test = ("a", "b", "fixed", "broken", "difference", "difference_ci95", "p_value", "p_value_holm", "error")
    print_result(
        values,
        Shown("runs", "run_id", "name", "status", "metrics.val_accuracy", "metrics.test_accuracy"),
        *map(Shown, ("accuracy", "config_diff")),
        Shown("pairs", *test),
        *map(Shown, ("cost", "pareto_front")),
    )


@click.command(cls=Command)
@run_argument
@click.option("--against", metavar="RUN", type=lab.runs.find, help="Compare with this run, instead of training.")
def reproduce(run: Run, against: Run | None) -> None:
    """Repeat a finished run from its stored config, seed and data, and compare the two number by number.

    On the same machine with the same versions everything is identical: metrics, weights and predictions.
    """
    repeat = against
    if repeat is None:
        with queue.open_engine():
            repeat = wait_for_run(lab.runs.repeat(run.run_id).run_id)
        if repeat.status is RunStatus.STOPPED:
            raise click.ClickException(f"The repeat {repeat.name} was stopped, so there is nothing to compare.")
    reproduction = lab.runs.reproduction(run.run_id, repeat.run_id)
    reasons = ("Possible reasons:", *reproduction.reasons) if reproduction.reasons else ()
    if not reproduction.identical and not reasons:
        reasons = ("Versions, settings, data and processor are the same.",)
    print_result(reproduction.to_dict(), *map(Shown, ("identical", "max_difference", "parts")), *reasons)
