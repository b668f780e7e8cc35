"""Which process may train a run: how one takes it, and how it learns that another has.

A store that is reached over the network has no test-and-set, so a run is taken by Fischer's algorithm (L. Lamport, "A
fast mutual exclusion algorithm", ACM TOCS 5(1), 1987): write your token where none is, wait for longer than a write
takes, and the run is yours if the token is still there. That rests on writes being quick. For the rare one that is
not, whoever trains asks at each sign of life and before each epoch whether the run is still its own, and leaves it
otherwise: of two processes the one that wrote its name last goes on, and the other ends within about a second.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aquadash.classroom.rights import Action, require
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.types import RunStatus, Worker

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Longer than a write takes from its beginning until everybody can read it, in seconds.
CLAIM_SECONDS = 1.0

#: With so many workers lost in a row, no epoch complete between them, it is the run's own fault.
MOST_LOSSES = 3

#: A claim whose process has died before it began is passed over after so many times of that.
_DEAD_CLAIM = 4


class RunTakenError(RunError):
    """Another process trains the run now."""


@dataclass(frozen=True)
class Attendance:
    """Who looks after a run.

    Attributes:
        status: As it is written: a run whose worker went silent is still running.
        ticket: The name of the cluster's task that looks after it; empty if there is none.
        worker: The process that trains it, or did last.
        sign: A text that changes with every sign of life.
    """

    status: RunStatus
    ticket: str
    worker: Worker | None
    sign: str


class RunClaims:
    """The part of the run store by which processes on several machines agree on who trains a run."""

    _client: MlflowClient
    _experiment_id: str

    def _set(self, run_id: str, what: str, values: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _tags(self, run_id: str) -> dict[str, str]:
        with storage_errors("read the run"):
            return dict(self._client.get_run(run_id).data.tags)

    def lost(self) -> str:
        raise NotImplementedError

    def claim(self, run_id: str, *, pause: Callable[[float], object] = time.sleep) -> bool:
        """Take a queued run, to train it; returns whether it is this process's own.

        Takes a second, or some more where another process has claimed the run and then not begun.

        Args:
            run_id: The run.
            pause: Waits for so many seconds.
        """
        require(Action.WORK)
        found = self._tags(run_id)
        if found.get(tag.STATUS) != RunStatus.QUEUED:
            return False
        earlier = found.get(tag.CLAIM, "")
        if earlier:
            pause(_DEAD_CLAIM * CLAIM_SECONDS)
            found = self._tags(run_id)
            if found.get(tag.STATUS) != RunStatus.QUEUED or found.get(tag.CLAIM) != earlier:
                return False
        token = uuid.uuid4().hex
        self._set(run_id, "take the run", {tag.CLAIM: token})
        pause(CLAIM_SECONDS)
        found = self._tags(run_id)
        return found.get(tag.STATUS) == RunStatus.QUEUED and found.get(tag.CLAIM) == token

    def check_owner(self, run_id: str, worker: Worker) -> None:
        """Return if the process is the one that trains the run.

        Raises:
            RunTakenError: It is another one.
            StorageError: The store is gone.
        """
        if lost := self.lost():
            raise StorageError(lost)
        check_owner_tag(self._tags(run_id), worker)

    def hand_over(self, run_id: str, loss: str, *, most: int | None) -> int:
        """Put a run back whose worker was lost, so that another goes on from the last complete epoch.

        It keeps its place in the queue. If somebody has asked it to stop, it is stopped; if that many workers were lost
        with it since its last complete epoch, it fails.

        Args:
            run_id: The run.
            loss: What was lost and how, to complete "...; another one goes on": ``"The worker on ... was lost"``.
            most: So many losses end it; None where this is no loss, because somebody meant it.

        Returns:
            How many workers were lost.
        """
        require(Action.WORK)
        found = self._tags(run_id)
        losses = int(found.get(tag.LOSSES) or 0) + (most is not None)
        ended: RunStatus | None = None
        if found.get(tag.STOP) == "1":
            ended, message = RunStatus.STOPPED, f"{loss} after the run was asked to stop. Complete epochs are kept."
        elif most is not None and losses >= most:
            ended = RunStatus.FAILED
            message = (
                f"{losses} workers in a row were lost while they trained this run; at last: {loss}. Is there enough "
                "memory for it? Every complete epoch is kept; resume the run once the cause is mended."
            )
        else:
            message = f"{loss}; another one goes on from the last complete epoch."
        self._set(run_id, "hand the run over", {tag.LOSSES: losses, tag.CLAIM: ""})
        self.set_status(run_id, ended or RunStatus.QUEUED, message=message)
        return losses

    def set_status(self, run_id: str, status: RunStatus, *, message: str = "") -> None:
        raise NotImplementedError

    def attendance(self, run_id: str) -> Attendance:
        """Who looks after the run at this moment.

        Raises:
            UnknownNameError: The run is not in this store.
        """
        from mlflow.exceptions import MlflowException

        with storage_errors("read the run"):
            try:
                found = dict(self._client.get_run(run_id).data.tags)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    raise UnknownNameError(f"There is no run {run_id[:40]!r}.") from None
                raise
        return Attendance(
            status=RunStatus(found[tag.STATUS]),
            ticket=found.get(tag.TICKET, ""),
            worker=tag.read_worker(found.get(tag.WORKER)),
            sign=" ".join(found.get(name, "") for name in (tag.STATUS, tag.STARTED, tag.WORKER, tag.PROGRESS)),
        )

    def set_message(self, run_id: str, message: str) -> None:
        """Say what a waiting run waits for."""
        require(Action.WORK)
        self._set(run_id, "say what the run waits for", {tag.MESSAGE: message})

    def artifact_location(self) -> str:
        """Where the files of new runs go."""
        with storage_errors("read the run store"):
            return str(self._client.get_experiment(self._experiment_id).artifact_location)

    def identity(self) -> str:
        """A text that is the same for everybody who uses this store, by whatever address, and for nobody else."""
        with storage_errors("read the run store"):
            found = self._client.get_experiment(self._experiment_id)
        return f"{found.experiment_id}-{found.creation_time}"

    def set_ticket(self, run_id: str, ticket: str) -> None:
        """Name the cluster's task that looks after the run; one of another name then lets go of it."""
        require(Action.WORK)
        self._set(run_id, "queue the run", {tag.TICKET: ticket})

    def data_sent(self, run_id: str) -> str:
        """The fingerprint of the own pictures that were sent along with the run; empty if none were."""
        return self._tags(run_id).get(tag.DATA_SENT, "")

    def set_data_sent(self, run_id: str, fingerprint: str) -> None:
        """Write down which own pictures the run is to be trained with, once they are in the store."""
        require(Action.WORK)
        self._set(run_id, "note the pictures", {tag.DATA_SENT: fingerprint})


def check_owner_tag(tags: Mapping[str, str], worker: Worker) -> None:
    """:meth:`RunClaims.check_owner` of tags that have been read already."""
    # A run that was handed over is nobody's until the next worker begins.
    handed_over = tags.get(tag.STATUS) == RunStatus.QUEUED
    if handed_over or tag.read_worker(tags.get(tag.WORKER)) not in (None, worker):
        raise RunTakenError("This run is another worker's now, because this one was silent for too long.")
