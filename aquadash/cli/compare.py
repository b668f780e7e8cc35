"""``compare``: what runs differ in, how accurate they are, whether that is more than luck, and what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aquadash.cli.briefs import brief
from aquadash.cli.output import json_option, percent, show, table
from aquadash.config import config_diff
from aquadash.errors import AquaDashError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.runs import Predictions, Run
from aquadash.runs.cost import Cost
from aquadash.runs.measured import IMAGES, Images, image_set

if TYPE_CHECKING:
    from aquadash.evaluation import PairTest


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option(
    "--on", "images", type=click.Choice(IMAGES), default="test", show_default=True,
    help="Which images to measure on: validation images to choose between runs, test images for the last measurement.",
)  # fmt: skip
@json_option
def compare(runs: tuple[str, ...], images: Images, as_json: bool) -> None:
    """Compare runs: figures, the settings that differ, each pair image by image, and what the runs cost."""
    from aquadash.evaluation import METRICS, agreement_of, evaluate, pairwise, pareto_front, scores, scores_to_dict

    lab = Lab(OWNER)
    found = list({run.run_id: run for run in map(lab.runs.find, runs)}.values())
    if len(found) < 2:
        raise AquaDashError("Comparing takes at least two different runs.")
    differences = config_diff([run.config for run in found])
    predictions: list[Predictions | None] = []
    accuracy: list[dict[str, Any]] = []
    for run in found:
        entry: dict[str, Any] = {"run_id": run.run_id, "n": 0, "accuracy_ci95": None, **dict.fromkeys(METRICS)}
        made, problem = None, None
        try:
            made = lab.runs.predictions_on(run.run_id, images)
            if made is not None:
                measured = evaluate(made.labels, made.probabilities, class_names=run.class_names)
                entry |= {"n": measured.n, **scores_to_dict(scores(measured, made))}
        except AquaDashError as error:
            made, problem = None, str(error)
        predictions.append(made)
        accuracy.append(entry | {"error": problem})
    tests = pairwise(predictions, sets=[image_set(run, images) for run in found])
    costs = [lab.runs.cost(run.run_id) for run in found]
    known = [index for index, entry in enumerate(accuracy) if entry["accuracy"] is not None and costs[index].seconds]
    front = pareto_front([costs[i].seconds or 0.0 for i in known], [accuracy[i]["accuracy"] for i in known])
    together = _together(tests, len(found))
    made_together = [each for index, each in enumerate(predictions) if index in together and each is not None]
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
        "cost": [{"run_id": run.run_id} | cost.to_dict() for run, cost in zip(found, costs, strict=True)],
        "pareto_front": [found[i].run_id for i, best in zip(known, front, strict=True) if best],
    }
    show(values, as_json=as_json, text=lambda: _text(found, values, tests, costs))


def _together(tests: tuple[PairTest, ...], runs: int) -> list[int]:
    """Positions of the first run that can be compared with another, and of all that can be compared with it."""
    comparable = {(test.a, test.b) for test in tests if test.result is not None}
    first = min((a for a, _ in comparable), default=None)
    return [] if first is None else [first, *(b for b in range(runs) if (first, b) in comparable)]


def _text(found: list[Run], values: dict[str, Any], tests: tuple[PairTest, ...], costs: list[Cost]) -> str:
    def dash(value: float | None, text: str) -> str:
        return "" if value is None else text.format(value)

    rows = [
        (
            run.run_id[:8],
            run.name,
            str(run.status),
            *(percent(run.metrics[key]) if key in run.metrics else "" for key in ("val_accuracy", "test_accuracy")),
            "" if entry["accuracy"] is None else " to ".join(percent(end) for end in entry["accuracy_ci95"]),
            dash(cost.seconds, "{:.0f} s"),
            dash(cost.parameters, "{:,}"),
            "yes" if run.run_id in values["pareto_front"] else "",
        )
        for run, entry, cost in zip(found, values["accuracy"], costs, strict=True)
    ]
    header = ("id", "name", "status", "validation", "test", f"95 % ({values['on']})", "time", "parameters", "on front")
    lines = [table(rows, header=header), ""]
    changed = [(name, *settings) for name, settings in values["config_diff"].items()]
    lines.append(
        table(changed, header=("setting", *(run.run_id[:8] for run in found))) if changed else "Same settings."
    )
    for test in tests:
        pair = f"{found[test.a].run_id[:8]} -> {found[test.b].run_id[:8]}"
        if test.result is None:
            lines.append(f"{pair}: {test.error}")
            continue
        low, high = (100 * end for end in test.interval)
        holm = f", by Holm's correction {test.p_holm:.3g}" if len(tests) > 1 else ""
        lines.append(
            f"{pair}: {test.result.fixed} fixed, {test.result.broken} newly broken, {100 * test.difference:+.1f} "
            f"points ({low:+.1f} to {high:+.1f}), p = {test.result.p_value:.3g}{holm}"
        )
    return "\n".join(lines)
