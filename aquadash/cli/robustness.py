"""``robustness`` and ``label-safety``: accuracy on changed test images, and how far one may change training images."""

from contextlib import suppress
from typing import Any

import click

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec
from aquadash.cli.describe import describe
from aquadash.cli.output import Command, NumberRange, Shown, attributes, lab, print_result, run_argument
from aquadash.cli.waiting import wait_for_job
from aquadash.errors import AquaDashError, ConfigError, RunError, StorageError
from aquadash.robustness.advice import advice, parameter_title, safe_range
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.measure import goes_with, is_measured
from aquadash.robustness.measurement import Measurement
from aquadash.robustness.requests import Request, RobustnessRequest, SweepRequest, read_request
from aquadash.robustness.steps import find_step, first_strength, text_of
from aquadash.store import Run, RunStatus

_seed_option = click.option("--seed", default=0, help="The number all randomness follows from.")


@click.command(cls=Command)
@run_argument
@click.option("--corruption", "corruptions", multiple=True, metavar="NAME", help="One of the 15. Default: all.")
@click.option("--severity", "severities", multiple=True, type=int, metavar="N", help="1 to 5. Default: all.")
@click.option("--pipelines/--no-pipelines", default=True, help="Measure augmentation pipelines, too.")
@_seed_option
@click.option("--limit", type=int, metavar="N", help="The maximum number of test images, from all classes alike.")
@click.option("--replace", is_flag=True, help="Replace figures with another seed or on other images.")
def robustness(
    run: Run, corruptions: tuple[str, ...], severities: tuple[int, ...], pipelines: bool, replace: bool, **subset: Any
) -> None:
    """Measure a run on corrupted and augmented test images, and wait for the end.

    Figures measured before are not measured again. Ctrl-C asks it to stop; what it has measured is kept.
    """
    request = RobustnessRequest(
        corruptions or tuple(CORRUPTIONS), severities or SEVERITIES, None if pipelines else (), **subset
    ).checked()
    with suppress(StorageError):  # Damaged figures are measured again.
        so_far = lab.jobs.robustness(run.run_id)
        if so_far is not None and not replace and not goes_with(so_far, request):
            raise RunError(
                f"{run.name} is measured with --seed {so_far.identity['seed']} --limit {so_far.clean.n}. "
                "These figures would take the place of those; add --replace for that."
            )
    result, status, message = _wait(run, request)
    if result is None:
        raise AquaDashError(f"Measuring {run.name} was stopped before the clean images were looked at.")
    print_result(
        {**attributes(run, "run_id", "name"), "status": status, "message": message, **result.to_dict()},
        *map(Shown, ("name", "status", "clean", "cells", "mean_corruption_error")),
        *map(Shown, ("relative_mean_corruption_error", "normalised_by_alexnet")),
        "" if status is RunStatus.FINISHED else "Run the command again to go on.",
        Shown("corruptions", *(f"{severity}.accuracy" for severity in SEVERITIES)),
        Shown("pipelines", "pipeline", "branch_title", "accuracy", "accuracy_ci95"),
    )


def _wait(run: Run, request: Request) -> tuple[Measurement | None, RunStatus, str]:
    """Measure what is not measured yet, and return all that is, how the job ended and why."""
    sweep = request if isinstance(request, SweepRequest) else None
    with suppress(StorageError):  # Damaged figures are measured again.
        measured = lab.jobs.robustness(run.run_id, sweep)
        if is_measured(measured, request):
            return measured, RunStatus.FINISHED, ""
    job_id = lab.jobs.robustness_job(run.run_id, sweep)
    job = lab.jobs.get(job_id)
    if job is None or job.status.ended or read_request(job.request) != request:
        lab.jobs.measure_robustness(run.run_id, request)
    ended = wait_for_job(job_id, name=run.name, title="label safety" if sweep else "robustness")
    if ended.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
        raise RunError(f"Measuring {run.name} {ended.status}: {ended.message or 'its process gave no sign of life'}")
    return lab.jobs.robustness(run.run_id, sweep), ended.status, ended.message


@click.command("label-safety", cls=Command)
@run_argument
@click.option("--pipeline", "pipeline_name", default="notebook-1", help="A built-in or saved one.")
@click.option("--branch", type=int, help="The version's number, from 1. Default: the first that changes images.")
@click.option("--copies", default=50, help="Augmented copies of each image.")
@click.option("--per-class", default=4, help="Validation images of each class.")
@click.option("--step", help="The step's number from 1; 2.then_list.1 is inside another. Default: the first strength.")
@click.option("--parameter", help="The parameter, or 'probability'. Default: the step's first number.")
@click.option("--low", type=float, help="The least value. Default: the least that is possible.")
@click.option("--high", type=float, help="The greatest value. Default: the greatest that is possible.")
@click.option("--values", default=11, help="How many values to try.")
@click.option("--threshold", default=0.8, type=NumberRange(0, 1, min_open=True), help="Fraction of accuracy to keep.")
@_seed_option
def label_safety(
    run: Run,
    pipeline_name: str,
    branch: int | None,
    per_class: int,
    step: str | None,
    parameter: str | None,
    low: float | None,
    high: float | None,
    threshold: float,
    **sampling: int,
) -> None:
    """Measure how a run's network classifies changed copies of validation images, and how far a parameter may go."""
    spec = augment.pipeline(pipeline_name)
    chosen, number = _branch(spec, branch)
    place = first_strength(chosen) if step is None else find_step(chosen, step)
    tried = place.parameters[0] if parameter is None else place.parameter(parameter)
    request = SweepRequest(
        branch=chosen,
        place=place.place,
        parameter=tried.name,
        low=tried.low if low is None else low,
        high=tried.high if high is None else high,
        limit=per_class * max(1, len(run.class_names)),
        **sampling,
    ).checked()
    measured, status, _ = _wait(run, request)
    if measured is None or status is not RunStatus.FINISHED:
        raise AquaDashError(f"Measuring {run.name} was stopped. Run the command again to go on.")
    safe = safe_range(measured, tried.name, threshold=threshold)
    curve = measured.curve("strength", tried.name)
    sentence = advice(measured, request, threshold=threshold, classes=len(run.class_names))
    result = {
        **attributes(run, "run_id", "name"),
        "pipeline": spec.name,
        "branch": number,
        "classes": run.class_names,
        "images": measured.clean.n,
        "split": "validation",
        **attributes(request, "copies", "seed"),
        "clean": measured.clean.to_dict(),
        "sweep": {
            "step": place.place,
            "title": place.title,
            "parameter": tried.name,
            "values": list(curve),
            "points": [scores.to_dict() for scores in curve.values()],
            "threshold": safe.limit,
            "relative_threshold": threshold,
            "harmless_value": measured.harmless,
            "below_at_once": safe.is_empty,
            "safe_from": safe.low,
            "safe_up_to": safe.high,
        },
        "advice": sentence,
    }
    name = f"{place.title}: {parameter_title(tried)}"
    points = [{name: text_of(tried, value), "accuracy": scores.accuracy} for value, scores in curve.items()]
    print_result(
        result,
        *map(Shown, ("name", "pipeline", "branch", "copies", "clean")),
        describe({"points": points}, "points"),
        sentence,
    )


def _branch(spec: PipelineSpec, number: int | None) -> tuple[Branch, int]:
    if number is None:
        number = next((i for i, branch in enumerate(spec.branches, start=1) if not branch.is_original), 1)
    if not 1 <= number <= spec.factor:
        raise ConfigError(f"The pipeline {spec.name!r} has the versions 1 to {spec.factor}, not {number}.")
    return spec.branches[number - 1], number
