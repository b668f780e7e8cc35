"""``robustness`` and ``label-safety``: accuracy on changed test images, and how far one may change training images."""

from __future__ import annotations

from contextlib import suppress

import click

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec
from aquadash.cli.output import Command, Table, lab, percent, print_result
from aquadash.cli.waiting import wait_for_job
from aquadash.errors import AquaDashError, ConfigError, RunError, StorageError
from aquadash.jobs import JobStatus
from aquadash.robustness import label_safety_job
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.job import goes_with, is_measured, job_of
from aquadash.robustness.label_safety import SafetyRequest, SweepRequest, validation_images
from aquadash.robustness.label_safety_result import SafetyResult, Seen, crossing_sentence
from aquadash.robustness.measure import RobustnessRequest
from aquadash.robustness.result import Mean, RobustnessResult
from aquadash.robustness.steps import find_step, path_text, read_path, text_of


@click.command(cls=Command)
@click.argument("run")
@click.option(
    "--corruption", "corruptions", multiple=True, metavar="NAME", help="One of the 15; may be repeated. Default: all."
)
@click.option(
    "--severity", "severities", multiple=True, type=int, metavar="N", help="1 to 5; may be repeated. Default: all."
)
@click.option("--pipelines/--no-pipelines", default=True, show_default=True, help="Augmentation pipelines, too.")
@click.option("--seed", default=0, show_default=True, help="The number all randomness follows from.")
@click.option("--limit", type=int, metavar="N", help="At most so many test images, from all classes alike.")
@click.option("--replace", is_flag=True, help="Take the place of figures with another seed or on other images.")
def robustness(
    run: str,
    corruptions: tuple[str, ...],
    severities: tuple[int, ...],
    pipelines: bool,
    seed: int,
    limit: int | None,
    replace: bool,
) -> None:
    """Measure a run on corrupted and augmented test images, and wait for the end.

    What is measured already is not measured again. Ctrl-C asks it to stop; what it has measured is kept.
    """
    request = RobustnessRequest(
        corruptions=corruptions or tuple(CORRUPTIONS),
        severities=severities or SEVERITIES,
        pipelines=None if pipelines else (),
        seed=seed,
        limit=limit,
    ).checked()
    found = lab.runs.find(run)
    status, message = JobStatus.FINISHED, ""
    so_far = None
    with suppress(StorageError):  # Damaged figures are measured again.
        so_far = lab.jobs.robustness(found.run_id)
    if not is_measured(so_far, request):
        job = lab.jobs.get(job_of(found.run_id))
        if job is None or job.status.ended or RobustnessRequest.from_dict(job.request) != request:
            if so_far is not None and not replace and not goes_with(so_far, request):
                raise RunError(
                    f"{found.name} is measured with --seed {so_far.identity.get('seed')} --limit {so_far.clean.n}. "
                    "These figures would take the place of those; add --replace for that."
                )
            lab.jobs.measure_robustness(found.run_id, request)
        ended = wait_for_job(job_of(found.run_id), name=found.name, title="robustness")
        status, message = ended.status, ended.message
        if status in (JobStatus.FAILED, JobStatus.INTERRUPTED):
            raise RunError(f"Measuring {found.name} {status}: {message or 'its process gave no sign of life'}")
    result = lab.jobs.robustness(found.run_id)
    if result is None:
        raise AquaDashError(f"Measuring {found.name} was stopped before the clean images were looked at.")
    values = {"run_id": found.run_id, "name": found.name, "status": str(status), "message": message}
    print_result({**values, **result.to_dict()}, *_measured(found.name, status, result))


def _measured(name: str, status: JobStatus, result: RobustnessResult) -> list[str | Table]:
    low, high = result.clean.accuracy_ci95
    lines: list[str | Table] = [
        f"{name}: {percent(result.clean.accuracy)} of {result.clean.n} clean test images right "
        f"(95 % interval {percent(low)} to {percent(high)})"
    ]
    if status is not JobStatus.FINISHED:
        lines.append(f"The measurement was {status}; run the command again to go on.")
    mce, relative = result.mean_corruption_error, result.relative_mean_corruption_error
    if mce is not None and relative is not None:
        lines.append(
            f"mean corruption error {_mean(mce)} over {len(result.cells)} of 75 corruptions and severities; not "
            f"divided by AlexNet's as in the paper\n"
            f"relative mean corruption error (less the clean error) {_mean(relative)}"
        )
        rows = []
        for corruption, entry in CORRUPTIONS.items():
            curve = result.curve(corruption)
            if curve:
                rows.append(
                    (entry.title, *(percent(curve[s].accuracy) if s in curve else "" for s in SEVERITIES))
                    + (percent(loss.value) if (loss := result.loss(corruption)) else "",)
                )
        lines += ["", Table(rows, header=("corruption", *(f"severity {s}" for s in SEVERITIES), "mean loss"))]
    if result.branches:
        told = [
            (
                key.pipeline,
                entry.branch_title,
                percent(entry.condition.accuracy),
                percent(result.branch_loss(key).value),
            )
            for key, entry in result.branches.items()
        ]
        lines += ["", Table(told, header=("pipeline", "version", "accuracy", "loss"))]
    return lines


def _mean(mean: Mean) -> str:
    low, high = mean.ci95
    return f"{percent(mean.value)} (95 % interval {percent(low)} to {percent(high)})"


@click.command("label-safety", cls=Command)
@click.argument("run")
@click.option("--pipeline", "pipeline_name", default="notebook-1", show_default=True, help="A built-in or saved one.")
@click.option("--branch", type=int, help="Which of its versions, from 1. Default: the first that changes images.")
@click.option("--copies", default=50, show_default=True, help="Augmented copies of each image.")
@click.option("--per-class", default=4, show_default=True, help="Validation images of each class.")
@click.option("--step", help="Try a parameter of this step, from 1; 2.then_list.1 for one inside another.")
@click.option("--parameter", help="The parameter, or 'probability'. Default: the step's first number.")
@click.option("--low", type=float, help="The least value. Default: the least that is possible.")
@click.option("--high", type=float, help="The greatest value. Default: the greatest that is possible.")
@click.option("--values", default=11, show_default=True, help="How many values to try.")
@click.option(
    "--threshold",
    default=0.8,
    show_default=True,
    help="Below this fraction of the accuracy on unchanged images too much is lost.",
)
@click.option("--absolute", is_flag=True, help="Threshold relative to all copies, not to accuracy on unchanged images.")
@click.option("--seed", default=0, show_default=True, help="The number all randomness follows from.")
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
    ended = wait_for_job(job_id, name=found.name, title="label safety")
    result = label_safety_job.result(ended)
    if result is None:
        raise RunError(f"Measuring {found.name} {ended.status}: {ended.message or 'its process gave no sign of life'}")
    told = {"run_id": found.run_id, "name": found.name, "pipeline": spec.name, "branch": number}
    print_result({**told, **result.to_dict()}, *_safety(found.name, spec, chosen, result))


def _branch(spec: PipelineSpec, number: int | None) -> tuple[Branch, int]:
    """The branch and its number from 1."""
    if number is None:
        changing = [position for position, branch in enumerate(spec.branches, start=1) if not branch.is_original]
        number = changing[0] if changing else 1
    if not 1 <= number <= spec.factor:
        raise ConfigError(f"The pipeline {spec.name!r} has the versions 1 to {spec.factor}, not {number}.")
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


def _safety(name: str, spec: PipelineSpec, branch: Branch, result: SafetyResult) -> list[str | Table]:
    lines: list[str | Table] = [
        f"{name} on {result.copies} {'copy' if result.copies == 1 else 'copies'} of each of {len(result.labels)} "
        f"validation images, {spec.title}: {branch.title}",
        f"unchanged images {_seen(result.clean)}, the whole pipeline {_seen(result.whole)}",
    ]
    if result.steps:
        rows = [(path_text(step.path), step.title, _seen(step.so_far), _seen(step.alone)) for step in result.steps]
        lines += ["", Table(rows, header=("step", "", "with those before it", "alone"))]
    if (sweep := result.sweep) is not None:
        parameter = find_step(branch, sweep.path).parameter(sweep.parameter)
        tried = [
            (text_of(parameter, value), _seen(seen)) for value, seen in zip(sweep.values, sweep.points, strict=True)
        ]
        header = (f"{sweep.title}: {parameter.title or parameter.name}", "accuracy")
        lines += ["", Table(tried, header=header), "", crossing_sentence(sweep, parameter)]
    return lines


def _seen(seen: Seen) -> str:
    low, high = seen.interval
    return f"{percent(seen.accuracy)} ({percent(low)} to {percent(high)})"
