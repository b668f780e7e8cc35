"""The processes of jobs that look at a run after it has ended: how one is started, and what every one of them does.

App and process meet in the run store: see :mod:`aquadash.runs.jobs`.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from aquadash import people
from aquadash.errors import AquaDashError, RunError
from aquadash.runs import Worker
from aquadash.runs.jobs import JobStatus, RunJobs
from aquadash.training.heartbeat import Heartbeat
from aquadash.training.listening import StopRequested
from aquadash.training.processes import start_unattended

_log = logging.getLogger("aquadash.job")


def start_job(
    jobs: RunJobs, run_id: str, request: Mapping[str, Any], *, command: Sequence[str], log_path: Path
) -> None:
    """Start the process of a job, which outlives the app.

    Args:
        jobs: The jobs of its kind.
        run_id: The run that it looks at.
        request: What is asked for, as plain values.
        command: The words of the command that calls :func:`do_job`.
        log_path: What it prints is added to this file.

    Raises:
        RunError: The job is at work already, or the process cannot be started, which the job then says, too.
    """
    jobs.begin(run_id, request)
    try:
        start_unattended(command, log_path=log_path)
    except OSError as error:
        message = f"The process could not be started ({error.strerror or error})."
        with people.acting(people.OWNER):
            jobs.end(run_id, JobStatus.FAILED, message=message)
        raise RunError(message) from error


def do_job(
    jobs: RunJobs, run_id: str, work: Callable[[Heartbeat], str], *, noun: str, stopped: str = "Stopped by request."
) -> None:
    """Do a job in this process and write how it ended; no exception leaves one that looks alive.

    Args:
        jobs: The jobs of its kind.
        run_id: The run that it looks at.
        work: Tells the heartbeat its progress, which ends it where somebody asked for that; returns a message.
        noun: What it is, such as "measurement".
        stopped: The message of one that was stopped.
    """
    jobs.start(run_id, Worker(socket.gethostname(), os.getpid()))
    status, message = _done(jobs, run_id, work, noun, stopped)
    _log.info("%s. %s", status, message)
    jobs.end(run_id, status, message=message)


def _done(
    jobs: RunJobs, run_id: str, work: Callable[[Heartbeat], str], noun: str, stopped: str
) -> tuple[JobStatus, str]:
    try:
        with Heartbeat(jobs, run_id) as heartbeat:
            return JobStatus.FINISHED, work(heartbeat)
    except StopRequested:
        return JobStatus.STOPPED, stopped
    except AquaDashError as error:
        _log.error("%s", error)
        return JobStatus.FAILED, str(error)
    except (MemoryError, BrokenProcessPool):
        # A pool breaks when the system ends one of its processes, which it does when memory is short.
        _log.exception("out of memory")
        return JobStatus.FAILED, "The machine ran out of memory. Close other programs and start it again."
    except Exception as error:
        _log.exception("the %s failed", noun)
        return JobStatus.FAILED, f"An unexpected error ended the {noun}: {type(error).__name__}: {error}"
