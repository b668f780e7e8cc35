"""What a slot of the engine does: starts one worker process for one run and watches it to its end."""

from __future__ import annotations

import functools
import logging
import signal
import socket
import threading
from collections.abc import Callable

from aquadash import people, settings
from aquadash.errors import AquaDashError
from aquadash.jobs.processes import start_detached
from aquadash.runs import RunStatus, RunStore, Worker, open_store
from aquadash.runs.artifacts import CHECKPOINTS

_log = logging.getLogger(__name__)

#: How often a slot looks after its process or, for a run that it adopted, its heartbeat.
_POLL_SECONDS = 0.5

#: Set when this process is about to end: slots let go of their workers, which go on by themselves.
closing = threading.Event()


def _logged(task: Callable[[str], str]) -> Callable[[str], str]:
    """A slot's task whose errors are logged, for nobody waits for its answer."""

    @functools.wraps(task)
    def logged(run_id: str) -> str:
        try:
            # The context of the thread that made the scheduler may have come along, and with it somebody's name.
            with people.acting(people.OWNER):
                return task(run_id)
        except (AquaDashError, OSError) as error:
            _log.error("run %s: %s", run_id, error)
            return "error"

    return logged


@_logged
def supervise(run_id: str) -> str:
    """Train a queued run in a process of its own; returns the run's status at the end.

    Runs in a slot of the engine: in a thread of this process, or in a Dask worker on another machine that shares the
    store.
    """
    store = open_store()
    if store.get(run_id).status is not RunStatus.QUEUED:
        return str(store.get(run_id).status)
    process = start_detached(["worker", run_id], log_path=settings.worker_log(run_id))
    while process.poll() is None:
        if closing.wait(_POLL_SECONDS):
            return "left running"
    return str(settle(store, run_id, process.returncode, pid=process.pid))


@_logged
def watch(run_id: str) -> str:
    """Hold a slot for a run whose worker was started by an engine that is gone, until it ends."""
    store = open_store()
    while not store.get(run_id).status.ended:
        if closing.wait(2 * _POLL_SECONDS):
            return "left running"
    return str(settle(store, run_id, None, pid=None))


def settle(store: RunStore, run_id: str, exit_status: int | None, *, pid: int | None) -> RunStatus:
    """Write down how a run ended whose worker is gone without saying so.

    Args:
        store: The run store.
        run_id: The run.
        exit_status: The worker's exit status, negative for a signal, None when only its silence is known.
        pid: The worker's process id, to leave a run alone that another worker has taken since.
    """
    run = store.get(run_id)
    here = Worker(socket.gethostname(), pid) if pid is not None else run.worker
    if run.status is RunStatus.QUEUED and exit_status not in (0, None):
        store.set_status(
            run_id,
            RunStatus.FAILED,
            message=f"The training process could not start ({reason(exit_status)}). Its log is "
            f"{settings.worker_log(run_id)}.",
        )
    elif run.status in (RunStatus.RUNNING, RunStatus.INTERRUPTED) and run.worker == here and not run.message:
        store.set_status(
            run_id,
            RunStatus.INTERRUPTED,
            message=f"The training process ended without a word ({reason(exit_status)}). "
            + (store.lost() or "Every complete epoch is kept; resume the run to go on from the last one."),
        )
    elif run.status is RunStatus.FINISHED and exit_status not in (0, None):
        # It was killed, or the store failed, before the last thing that it does.
        store.remove_artifacts(run_id, CHECKPOINTS)
    return store.get(run_id).status


def reason(exit_status: int | None) -> str:
    """How a process ended, in words; None where only its silence is known."""
    if exit_status is None:
        return "no sign of life"
    if exit_status < 0:
        return f"signal {signal.Signals(-exit_status).name}"
    return f"exit status {exit_status}"
