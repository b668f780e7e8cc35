"""Waiting for runs and jobs in the background, with a line of progress, until their end or Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from aquadash.cli.output import StatusLine, lab, percent
from aquadash.errors import AquaDashError, RunError
from aquadash.store import Job, Run, RunStatus

T = TypeVar("T")


def wait_for_job(job_id: str, *, name: str, title: str = "") -> Job:
    """Watch a job to its end. A first Ctrl-C asks it to stop, a second leaves it alone."""

    def look(line: StatusLine, asked: bool) -> Job | None:
        lab.refresh()
        job = lab.jobs.get(job_id)
        if job is None:
            raise RunError(f"The work on {name} is no longer known here.")
        if job.status.ended:
            return job
        doing = "stopping" if asked or job.stop_requested else title
        progress = job.progress
        if progress is None:
            line.show(f"{name}: {doing or 'starting'}", None, "starting" if doing else "")
            return None
        eta = progress.eta
        left = "" if not eta else f"{eta:,.0f} s left" if eta < 180 else f"{eta / 60:,.0f} min left"
        tail = ", ".join(filter(None, (progress.phase if doing else "", left)))
        line.show(f"{name}: {doing or progress.phase}", progress.fraction, tail)
        return None

    return _watch(look, lambda: lab.jobs.stop(job_id), f"Left {name} alone; it stops by itself.")


def wait_for_run(run_id: str) -> Run:
    """Watch a run to its end; Ctrl-C as above."""
    from aquadash.work.slots import held
    from aquadash.work.waiting import HELD

    def look(line: StatusLine, asked: bool) -> Run | None:
        run = lab.runs.get(run_id)
        if run.status.ended:
            return run
        progress = run.progress
        if run.status is RunStatus.QUEUED or progress is None:
            why = HELD if run.status is RunStatus.QUEUED and held() else run.message
            line.show(f"{run.name}: queued. {why}".removesuffix(". "))
        elif asked or not progress.batches:
            line.show(f"{run.name}: {'stopping' if asked else progress.phase}")
        else:
            eta = "" if not progress.eta_seconds else f", at most {progress.eta_seconds:,.0f} s left"
            latest = f", val_accuracy {percent(run.curve[-1])}" if run.curve else ""
            line.show(
                f"{run.name}: epoch {progress.epoch} of {progress.epochs}",
                progress.batch / progress.batches,
                f"{progress.images_per_second:,.0f} images/s{eta}{latest}",
            )
        return None

    left = f"Left {run_id} alone; it stops by itself. See runs show {run_id[:8]}."
    return _watch(look, lambda: lab.runs.stop(run_id), left)


def _watch(look: Callable[[StatusLine, bool], T | None], stop: Callable[[], object], left: str) -> T:
    """Call ``look`` until it returns something; each call draws the line and knows if Ctrl-C was pressed."""
    asked = False
    with StatusLine() as line:
        while True:
            try:
                found = look(line, asked)
                if found is not None:
                    return found
                time.sleep(0.3)
            except KeyboardInterrupt:
                if asked:
                    raise RunError(left) from None
                asked = True
                try:
                    stop()
                except AquaDashError as error:
                    line.show(str(error))
