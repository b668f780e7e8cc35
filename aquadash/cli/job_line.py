"""A job in the background as a command shows it: a line on stderr until its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from aquadash.cli.output import StatusLine
from aquadash.errors import AquaDashError, RunError
from aquadash.jobs import Job

#: Seconds between two looks at the job.
_LOOK_SECONDS = 0.3


def wait(read: Callable[[], Job | None], stop: Callable[[], object], *, name: str, title: str) -> Job:
    """Watch a job to its end. A first Ctrl-C asks it to stop, a second leaves it alone.

    Args:
        read: Gives the job as it is now.
        stop: Asks it to stop.
        name: What it works on, for people.
        title: What it does, for people: ``"robustness"``.

    Raises:
        RunError: Somebody has left it alone, or it is gone.
    """
    asked = False
    with StatusLine() as line:
        while True:
            try:
                job = read()
                if job is None or job.status.ended:
                    break
                _show(line, f"{name}: {'stopping' if asked else title}", job)
                time.sleep(_LOOK_SECONDS)
            except KeyboardInterrupt:
                if asked:
                    raise RunError("Left it alone; it stops by itself.") from None
                asked = True
                try:
                    stop()
                except AquaDashError as error:
                    line.show(str(error))
    if job is None:
        raise RunError(f"The work on {name} is no longer known here.")
    return job


def _show(line: StatusLine, head: str, job: Job) -> None:
    progress = job.progress
    if progress is None:
        line.show(head, None, "starting")
    else:
        left = "" if progress.eta is None else f", {progress.eta:,.0f} s left"
        line.show(head, progress.fraction, progress.phase + left)
