"""``label-safety``: how far an augmentation can go before a run's model no longer sees the animal."""

from __future__ import annotations

import click

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec
from aquadash.cli.job_line import wait
from aquadash.cli.output import json_option, percent, show, table
from aquadash.errors import ConfigError, RunError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.robustness import label_safety_job
from aquadash.robustness.label_safety import SafetyRequest, SweepRequest, validation_images
from aquadash.robustness.label_safety_result import SafetyResult, Seen, Sweep, crossing_sentence
from aquadash.robustness.steps import find_step, path_text, read_path, text_of


@click.command("label-safety")
@click.argument("run")
@click.option("--pipeline", "pipeline_name", default="notebook-1", show_default=True, help="A built-in or saved one.")
@click.option("--branch", type=int, help="Which of its branches, from 1. Default: the first that changes images.")
@click.option("--copies", default=50, show_default=True, help="Augmented copies of each image.")
@click.option("--per-class", default=4, show_default=True, help="Validation images of each class.")
@click.option("--step", help="Try a parameter of this step, from 1; 2.then_list.1 for one inside another.")
@click.option("--parameter", help="The parameter, or 'probability'. Default: the step's first number.")
@click.option("--low", type=float, help="The least value. Default: the least that is possible.")
@click.option("--high", type=float, help="The greatest value. Default: the greatest that is possible.")
@click.option("--values", default=11, show_default=True, help="How many values to try.")
@click.option("--threshold", default=0.8, show_default=True, help="Too much is lost below this share.")
@click.option("--absolute", is_flag=True, help="The threshold is a share of all copies, not of the clean accuracy.")
@click.option("--seed", default=0, show_default=True, help="The number all randomness follows from.")
@json_option
def label_safety(
    run: str,
    pipeline_name: str,
    branch: int | None,
    copies: int,
    per_class: int,
    step: str | None,
    parameter: str | None,
    low: float | None,
    high: float | None,
    values: int,
    threshold: float,
    absolute: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Measure how a run's model reads augmented copies of its validation images, and how far a parameter may go."""
    spec = augment.pipeline(pipeline_name)
    chosen, number = _branch(spec, branch)
    request = SafetyRequest(
        branch=chosen,
        copies=copies,
        seed=seed,
        threshold=threshold,
        absolute=absolute,
        sweep=_sweep(chosen, step, parameter, low, high, values),
    )
    request.check()
    lab = Lab(OWNER)
    found = lab.runs.find(run)
    dataset = lab.data.load(found.config.data.source)
    subjects = validation_images(
        found, lab.runs.validation_predictions(found.run_id), dataset, per_class=per_class, seed=seed
    )
    job_id = lab.jobs.label_safety_id(found, subjects, request)
    job = lab.jobs.get(job_id)
    if job is None or (job.status.ended and label_safety_job.result(job) is None):
        # Without a network it would fail in the background.
        lab.runs.network(found)
        lab.jobs.measure_label_safety(found, subjects, request)
    ended = wait(lab, job_id, name=found.name, title="label safety")
    result = label_safety_job.result(ended)
    if result is None:
        raise RunError(f"Measuring {found.name} {ended.status}: {ended.message or 'its process gave no sign of life'}")
    told = {"run_id": found.run_id, "name": found.name, "pipeline": spec.name, "branch": number}
    show({**told, **result.to_dict()}, as_json=as_json, text=lambda: _text(found.name, spec, chosen, result))


def _branch(spec: PipelineSpec, number: int | None) -> tuple[Branch, int]:
    """The branch and its number from 1."""
    if number is None:
        changing = [position for position, branch in enumerate(spec.branches, start=1) if not branch.is_original]
        number = changing[0] if changing else 1
    if not 1 <= number <= spec.factor:
        raise ConfigError(f"The pipeline {spec.name!r} has the branches 1 to {spec.factor}, not {number}.")
    return spec.branches[number - 1], number


def _sweep(
    branch: Branch, step: str | None, name: str | None, low: float | None, high: float | None, values: int
) -> SweepRequest | None:
    if step is None:
        if name is not None or low is not None or high is not None:
            raise ConfigError("--parameter, --low and --high need --step, which says whose parameter it is.")
        return None
    place = find_step(branch, read_path(step))
    parameter = place.parameters[0] if name is None else place.parameter(name)
    return SweepRequest(
        place.path,
        parameter.name,
        parameter.low if low is None else low,
        parameter.high if high is None else high,
        values,
    )


def _text(name: str, spec: PipelineSpec, branch: Branch, result: SafetyResult) -> str:
    lines = [
        f"{name} on {result.copies} copies of each of {len(result.labels)} validation images, {spec.title}: "
        f"{branch.title}",
        f"unchanged images {_seen(result.clean)}, the whole pipeline {_seen(result.whole)}",
    ]
    if result.steps:
        rows = [(path_text(step.path), step.title, _seen(step.so_far), _seen(step.alone)) for step in result.steps]
        lines += ["", table(rows, header=("step", "", "with those before it", "alone"))]
    if result.sweep is not None:
        lines += ["", _sweep_text(branch, result.sweep)]
    return "\n".join(lines)


def _sweep_text(branch: Branch, sweep: Sweep) -> str:
    parameter = find_step(branch, sweep.path).parameter(sweep.parameter)
    rows = [(text_of(parameter, value), _seen(seen)) for value, seen in zip(sweep.values, sweep.points, strict=True)]
    return "\n".join(
        [table(rows, header=(f"{sweep.title}: {parameter.title or parameter.name}", "accuracy")), ""]
        + [crossing_sentence(sweep, parameter)]
    )


def _seen(seen: Seen) -> str:
    low, high = seen.interval
    return f"{percent(seen.accuracy)} ({percent(low)} to {percent(high)})"
