"""A job in the background as a command shows it: a line on stderr until its end."""

from __future__ import annotations

import time

from aquadash.cli.output import StatusLine
from aquadash.errors import AquaDashError, RunError
from aquadash.jobs import Job
from aquadash.lab import Lab

#: Seconds between two looks at the job.
_LOOK_SECONDS = 0.3


def wait(lab: Lab, job_id: str, *, name: str, title: str = "") -> Job:
    """Watch a job to its end. A first Ctrl-C asks it to stop, a second leaves it alone.

    Args:
        lab: In whose name.
        job_id: Which job.
        name: What it works on, for people.
        title: What it does, for people: ``"robustness"``; empty for one whose phases say it.

    Raises:
        RunError: Somebody has left it alone, or it is gone.
    """
    asked = False
    with StatusLine() as line:
        while True:
            try:
                lab.refresh()
                job = lab.jobs.get(job_id)
                if job is None or job.status.ended:
                    break
                _show(line, name, "stopping" if asked or job.stop_requested else title, job)
                time.sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                if asked:
                    raise RunError(f"Left {name} alone; it stops by itself.") from None
                asked = True
                try:
                    lab.jobs.stop(job_id)
                except AquaDashError as error:
                    line.show(str(error))
    if job is None:
        raise RunError(f"The work on {name} is no longer known here.")
    return job


def _show(line: StatusLine, name: str, title: str, job: Job) -> None:
    progress = job.progress
    phase = "starting" if progress is None else progress.phase
    eta = None if progress is None else progress.eta
    left = "" if eta is None else f"{eta:,.0f} s left" if eta < 180 else f"{eta / 60:,.0f} min left"
    tail = ", ".join(filter(None, (phase if title else "", left)))
    line.show(f"{name}: {title or phase}", None if progress is None else progress.fraction, tail)
