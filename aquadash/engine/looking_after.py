"""What a slot of a cluster does: trains a run in a process of its own, or watches the one that does, on any machine.

Dask runs this again elsewhere when the Dask worker is lost that ran it. The training process may have been lost with it
or live on, so whoever comes next looks for its signs of life first, and goes on from the last complete epoch only when
there are none.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time

from aquadash import __version__, settings
from aquadash.engine.supervisor import reason
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.jobs.processes import start_detached
from aquadash.runs import RunStatus, RunStore, Worker, open_store
from aquadash.runs.claims import MOST_LOSSES

_log = logging.getLogger("aquadash.cluster")

#: A training process that is silent for so long, by the clock of whoever looks, is lost: they send a sign a second.
SILENCE_SECONDS = 12.0

_POLL_SECONDS = 0.5

#: Looks at a process elsewhere cost a question to the store each.
_WATCH_SECONDS = 1.0

#: A store that takes so long to answer may have missed signs of life, too.
_SLOW_ANSWER_SECONDS = 3.0

#: Failed questions to the store in a row after which a slot gives up; the engine queues the run again.
_MOST_FAILURES = 60


def look_after(run_id: str, ticket: str, version: str) -> str:
    """Bring a run to its end; returns its status then, or why this slot has let go of it.

    Args:
        run_id: The run.
        ticket: This task's name, as the run has it. The run may get another one; then this task is not wanted any more.
        version: The app's version, which must be this machine's, too.

    Raises:
        RunError: This machine is set up wrongly.
        Reschedule: The training process is gone, or this slot ends; any worker of the cluster may go on.
    """
    from distributed import Reschedule

    _log_to_stderr()
    _check_version(version)
    store = open_store()
    silence = _Silence()
    failures = 0
    watched: Worker | None = None
    while True:
        if _slot_ends():
            raise Reschedule
        try:
            asked = time.monotonic()
            found = store.attendance(run_id)
            failures = 0
            if time.monotonic() - asked > _SLOW_ANSWER_SECONDS:
                # The store was away, and signs of life had nowhere to go.
                silence.forget()
        except UnknownNameError:
            raise RunError(
                f"The worker on {socket.gethostname()} does not find the run in its run store. Start it with the "
                f"MLFLOW_TRACKING_URI of the app; its own is {settings.shown_address(settings.tracking_uri())}."
            ) from None
        except StorageError as error:
            failures += 1
            if failures >= _MOST_FAILURES:
                raise
            _log.warning("run %s: %s", run_id, error)
            silence.forget()
            time.sleep(_WATCH_SECONDS)
            continue
        if found.ticket != ticket:
            return "another task looks after it"
        if found.status.ended:
            return str(found.status)
        if found.status is RunStatus.QUEUED:
            if _train_here(store, run_id):
                # A slot may be free on a machine that is in better health.
                raise Reschedule
            silence.forget()
        elif not _lives_here(found.worker, run_id) and silence.lasts(found.sign):
            where = found.worker.host if found.worker else "another machine"
            _hand_over(store, run_id, f"The worker on {where} was lost (no sign of life for {SILENCE_SECONDS:.0f} s)")
        else:
            if found.worker != watched:
                watched = found.worker
                _log.info("run %s: trained by %s; watched by %s", run_id, watched, _me())
            time.sleep(_WATCH_SECONDS)


class _Silence:
    """How long there was nothing new, by this machine's own clock: clocks of two machines differ."""

    def __init__(self) -> None:
        self._sign = ""
        self._since = 0.0

    def forget(self) -> None:
        """Begin anew."""
        self._sign = ""

    def lasts(self, sign: str) -> bool:
        """Whether the sign has been the same for too long."""
        now = time.monotonic()
        if sign != self._sign:
            self._sign, self._since = sign, now
        return now - self._since > SILENCE_SECONDS


def _train_here(store: RunStore, run_id: str) -> bool:
    """Train a queued run in a process of this machine; returns True if the process died and the run was put back."""
    _log.info("run %s: training starts on %s", run_id, _me())
    process = start_detached(["worker", run_id], log_path=settings.worker_log(run_id))
    while process.poll() is None:
        if _slot_ends():
            # The training goes on; whoever looks after the run next sees that.
            return False
        time.sleep(_POLL_SECONDS)
    here = Worker(socket.gethostname(), process.pid)
    while True:
        try:
            found = store.attendance(run_id)
            break
        except StorageError as error:
            _log.warning("run %s: %s", run_id, error)
            time.sleep(_WATCH_SECONDS)
    _log.info("run %s: the training process %d has ended; the run is %s", run_id, process.pid, found.status)
    if found.status is RunStatus.RUNNING and found.worker == here:
        lost = f"The training process {here.pid} on {here.host} died ({reason(process.returncode)})"
    elif found.status is RunStatus.QUEUED and process.returncode:
        lost = (
            f"The training process on {here.host} could not start ({reason(process.returncode)}; its log there is "
            f"{settings.worker_log(run_id)})"
        )
    else:
        return False
    _hand_over(store, run_id, lost)
    return True


def _slot_ends() -> bool:
    """Whether the Dask worker that this runs in is closing, as it does when it is ended or its scheduler is gone."""
    from distributed import Status, get_worker

    try:
        return get_worker().status not in (Status.init, Status.starting, Status.running, Status.paused)
    except ValueError:  # no Dask worker
        return False


def _hand_over(store: RunStore, run_id: str, loss: str) -> None:
    losses = store.hand_over(run_id, loss, most=MOST_LOSSES)
    _log.warning("run %s: %s. Loss %d of at most %d; seen by %s", run_id, loss, losses, MOST_LOSSES, _me())


def _lives_here(worker: Worker | None, run_id: str) -> bool:
    """Whether the training process is one of this machine and alive, however busy."""
    import psutil

    if worker is None or worker.host != socket.gethostname():
        return False
    try:
        process = psutil.Process(worker.pid)
        return run_id in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _check_version(version: str) -> None:
    if version != __version__:
        raise RunError(
            f"The worker on {socket.gethostname()} has AquaDash {__version__}, and the app has {version}. Install the "
            "same version on every machine of the cluster, and start its worker again."
        )


def _me() -> str:
    return f"{settings.worker_name()}, process {os.getpid()}"


def _log_to_stderr() -> None:
    """Dask sets up its own loggers only."""
    if not _log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s aquadash %(levelname)s %(message)s", datefmt="%H:%M:%S"))
        _log.addHandler(handler)
        _log.setLevel(logging.INFO)
        _log.propagate = False
