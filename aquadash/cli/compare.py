"""``compare`` and ``reproduce``: runs beside each other, and a repeat."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from aquadash.cli.output import Command, Shown, lab, print_result
from aquadash.cli.runs import brief
from aquadash.cli.waiting import wait_for_run
from aquadash.config import config_diff
from aquadash.errors import AquaDashError
from aquadash.store import RunStatus
from aquadash.store.measured import IMAGES, Images
from aquadash.work import queue

if TYPE_CHECKING:
    pass


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True)
@click.option(
    "--on", "images", type=click.Choice(IMAGES), default="test", show_default=True,
    help="Which images to measure on: validation images to choose between runs, test images for the last measurement.",
)  # fmt: skip
def compare(runs: tuple[str, ...], images: Images) -> None:
    """Compare runs: figures, the settings that differ, each pair image by image, and what the runs cost."""
    from aquadash.evaluation import METRICS, agreement_of, measured_together, pareto_front, scores, scores_to_dict

    found = list({run.run_id: run for run in map(lab.runs.find, runs)}.values())
    if len(found) < 2:
        raise AquaDashError("Comparing takes at least two different runs.")
    differences = config_diff([run.config for run in found])
    compared = lab.runs.compare(found, images)
    accuracy: list[dict[str, Any]] = []
    for run, made, measured, problem in zip(
        found, compared.predictions, compared.evaluations, compared.errors, strict=True
    ):
        entry: dict[str, Any] = {"run_id": run.run_id, "n": 0, "accuracy_ci95": None, **dict.fromkeys(METRICS)}
        if made is not None and measured is not None:
            entry |= {"n": measured.n, **scores_to_dict(scores(measured, made))}
        accuracy.append(entry | {"error": problem or None})
    tests = compared.pairs
    costs = [lab.runs.cost(run.run_id) for run in found]
    together = measured_together(tests)
    measured_runs = [index for index, entry in enumerate(accuracy) if entry["accuracy"] is not None]
    # Which of two runs is better only the same images tell.
    known = [i for i in (measured_runs if len(measured_runs) == 1 else together) if costs[i].seconds]
    front = pareto_front([costs[i].seconds or 0.0 for i in known], [accuracy[i]["accuracy"] for i in known])
    made_together = [each for index in together if (each := compared.predictions[index]) is not None]
    pairs = [
        {"a": found[test.a].run_id, "b": found[test.b].run_id} | test.to_dict() for test in tests
    ]  # fmt: skip
    values = {
        "on": images,
        "runs": [brief(run) for run in found],
        "config_diff": differences,
        "accuracy": accuracy,
        # The first with each other one, as before there were all pairs.
        "mcnemar": [pair for test, pair in zip(tests, pairs, strict=True) if test.a == 0],
        "pairs": pairs,
        "right_by": agreement_of(made_together).counts.tolist() if len(made_together) > 1 else None,
        "cost": [{"run_id": run.run_id} | asdict(cost) for run, cost in zip(found, costs, strict=True)],
        "pareto_front": [found[i].run_id for i, best in zip(known, front, strict=True) if best],
    }
    print_result(
        values,
        Shown("runs", "run_id", "name", "status", "metrics.val_accuracy", "metrics.test_accuracy"),
        Shown("accuracy"),
        Shown("config_diff") if differences else "Same settings.",
        Shown(
            "pairs", "a", "b", "fixed", "broken", "difference", "difference_ci95", "p_value", "p_value_holm", "error"
        ),
        *map(Shown, ("cost", "pareto_front")),
    )


@click.command(cls=Command)
@click.argument("run")
@click.option("--against", metavar="RUN", help="Compare with this run, which is there already, instead of training.")
def reproduce(run: str, against: str | None) -> None:
    """Repeat a finished run from its stored config, seed and data, and compare the two number by number.

    On the same machine with the same versions everything is identical: metrics, weights and predictions.
    """
    run_id = lab.runs.find(run).run_id
    if against is not None:
        repeat_id = lab.runs.find(against).run_id
    else:
        with queue.open_engine():
            repeat_id = lab.runs.repeat(run_id).run_id
            ended = wait_for_run(repeat_id)
        if ended.status is RunStatus.STOPPED:
            raise click.ClickException(f"The repeat {ended.name} was stopped, so there is nothing to compare.")
    found = lab.runs.reproduction(run_id, repeat_id)

    if found.identical:
        head = "Identical: every number that came out is the same, bit by bit."
    else:
        head = f"Not identical: the largest difference is {found.max_difference:.3g}."
    why = []
    if found.reasons:
        why = ["What else differs, and may be why:", *(f"- {reason}" for reason in found.reasons)]
    elif not found.identical:
        why = ["Versions, settings, data and processor are the same."]
    print_result(found.to_dict(), head, Shown("parts"), *why)
