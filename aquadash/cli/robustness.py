"""``robustness``: how a run's accuracy falls when the test images are changed."""

from __future__ import annotations

import click

from aquadash.cli.job_line import wait
from aquadash.cli.output import json_option, percent, show, table
from aquadash.errors import AquaDashError, RunError
from aquadash.jobs import JobStatus
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.robustness.job import is_measured, job_of
from aquadash.robustness.measure import RobustnessRequest
from aquadash.robustness.result import Mean, RobustnessResult


@click.command()
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
@json_option
def robustness(
    run: str,
    corruptions: tuple[str, ...],
    severities: tuple[int, ...],
    pipelines: bool,
    seed: int,
    limit: int | None,
    as_json: bool,
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
    lab = Lab(OWNER)
    found = lab.runs.find(run)
    status, message = JobStatus.FINISHED, ""
    if not is_measured(lab.jobs.robustness(found.run_id), request):
        job = lab.jobs.get(job_of(found.run_id))
        if job is None or job.status.ended or RobustnessRequest.from_dict(job.request) != request:
            lab.jobs.measure_robustness(found.run_id, request)
        ended = wait(lab, job_of(found.run_id), name=found.name, title="robustness")
        status, message = ended.status, ended.message
        if status in (JobStatus.FAILED, JobStatus.INTERRUPTED):
            raise RunError(f"Measuring {found.name} {status}: {message or 'its process gave no sign of life'}")
    result = lab.jobs.robustness(found.run_id)
    if result is None:
        raise AquaDashError(f"Measuring {found.name} was stopped before the clean images were looked at.")
    values = {"run_id": found.run_id, "name": found.name, "status": str(status), "message": message}
    show({**values, **result.to_dict()}, as_json=as_json, text=lambda: _text(found.name, status, result))


def _text(name: str, status: JobStatus, result: RobustnessResult) -> str:
    low, high = result.clean.accuracy_ci95
    lines = [
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
        lines += ["", table(rows, header=("corruption", *(f"severity {s}" for s in SEVERITIES), "mean loss"))]
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
        lines += ["", table(told, header=("pipeline", "branch", "accuracy", "loss"))]
    return "\n".join(lines)


def _mean(mean: Mean) -> str:
    low, high = mean.ci95
    return f"{percent(mean.value)} (95 % interval {percent(low)} to {percent(high)})"
