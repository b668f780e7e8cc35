"""Waiting for runs and jobs in the background, with a line of progress, until their end or Ctrl-C."""

import time
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from aquadash.cli.output import StatusLine, lab
from aquadash.errors import AquaDashError, RunError
from aquadash.store import Job, Run, RunStatus
from aquadash.store.fields import figure_named

Work = TypeVar("Work", Job, Run)
#: The beginning of a line of progress, the fraction that is done, and the end of the line.
Line: TypeAlias = tuple[str, float | None, str]


def wait_for_job(job_id: str, *, name: str, title: str = "") -> Job:
    """Watch a job to its end."""

    def read() -> Job:
        lab.refresh()
        if (job := lab.jobs.get(job_id)) is None:
            raise RunError(f"The work on {name} is no longer known here.")
        return job

    def describe(job: Job, is_stopping: bool) -> Line:
        doing, progress = "stopping" if is_stopping or job.stop_requested else title, job.progress
        if progress is None:
            return f"{name}: {doing or 'starting'}", None, "starting" if doing else ""
        eta = progress.eta
        left = "" if not eta else f"{eta:,.0f} s left" if eta < 180 else f"{eta / 60:,.0f} min left"
        tail = ", ".join(filter(None, (progress.phase if doing else "", left)))
        return f"{name}: {doing or progress.phase}", progress.fraction, tail

    return _watch(read, describe, lambda: lab.jobs.stop(job_id), f"Left {name} alone; it stops by itself.")


def wait_for_run(run_id: str) -> Run:
    """Watch a run to its end."""
    from aquadash.training.forecast import PAUSED
    from aquadash.work.slots import held

    def describe(run: Run, is_stopping: bool) -> Line:
        progress = run.progress
        if run.status is RunStatus.QUEUED or progress is None:
            why = PAUSED if run.status is RunStatus.QUEUED and held() else run.message
            return f"{run.name}: queued. {why}".removesuffix(". "), None, ""
        if is_stopping or not progress.batches:
            return f"{run.name}: {'stopping' if is_stopping else progress.phase}", None, ""
        eta = "" if not progress.eta_seconds else f", at most {progress.eta_seconds:,.0f} s left"
        latest = f", val_accuracy {figure_named('val_accuracy').text(run.curve[-1])}" if run.curve else ""
        tail = f"{progress.images_per_second:,.0f} images/s{eta}{latest}"
        return f"{run.name}: epoch {progress.epoch} of {progress.epochs}", progress.batch / progress.batches, tail

    left = f"Left {run_id} alone; it stops by itself. See runs show {run_id[:8]}."
    return _watch(lambda: lab.runs.get(run_id), describe, lambda: lab.runs.stop(run_id), left)


def _watch(
    read: Callable[[], Work], describe: Callable[[Work, bool], Line], stop: Callable[[], object], left: str
) -> Work:
    """Draw the line of some work until it has ended. A first Ctrl-C asks it to stop, a second leaves it alone."""
    is_stopping = False
    with StatusLine() as line:
        while True:
            try:
                if (work := read()).status.ended:
                    return work
                line.show(*describe(work, is_stopping))
                time.sleep(0.3)
            except KeyboardInterrupt:
                if is_stopping:
                    raise RunError(left) from None
                is_stopping = True
                try:
                    stop()
                except AquaDashError as error:
                    line.show(str(error))
