"""What an engine holds of the runs that a cluster looks after: a ticket each, from sending its pictures to its end."""

from __future__ import annotations

import logging
import tempfile
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash import __version__, settings
from aquadash.data.folder import about, packing
from aquadash.engine.looking_after import look_after
from aquadash.errors import AquaDashError
from aquadash.runs import RunStatus, RunStore
from aquadash.runs.data_files import DataFiles

if TYPE_CHECKING:
    from distributed import Client, Future

_log = logging.getLogger(__name__)

#: One data set at a time is packed and sent; the next run with the same pictures then finds them there.
_sending = threading.Lock()


class Ticket:
    """A run on its way through the cluster."""

    def __init__(self, store: RunStore, run_id: str, connected: Callable[[], Client], *, priority: float = 0.0) -> None:
        """Gives the run to the cluster, at once or, where its pictures must be sent first, from a thread of its own.

        A run that has a ticket already keeps that, and so joins the cluster's task of that name if it is still there.

        Args:
            store: The run store.
            run_id: A queued run, or one at work.
            connected: Gives a client of the scheduler.
            priority: Of two that wait the one with the higher starts first.
        """
        self._store = store
        self._run_id = run_id
        self._connected = connected
        self._priority = priority
        self._future: Future | None = None
        self._error = ""
        self._cancelled = False
        config = store.get(run_id).config
        self._device = config.training.device
        if config.data.source.startswith(about.PREFIX) and settings.store_is_shared() and not store.data_sent(run_id):
            name = config.data.source.removeprefix(about.PREFIX)
            self._sender: threading.Thread | None = threading.Thread(
                target=self._send_then_submit, args=(name,), name=f"aquadash-send-{run_id[:8]}", daemon=True
            )
            self._sender.start()
        else:
            self._sender = None
            self._submit()

    def done(self) -> bool:
        """True once the cluster has let go of the run, for whatever reason."""
        if self._sender is not None and self._sender.is_alive():
            return False
        return self._future is None or self._future.done()

    @property
    def error(self) -> str:
        """Why the run cannot be trained as things are; empty if nothing is known to be wrong."""
        from distributed.scheduler import KilledWorker

        if self._error or self._future is None or not self._future.done() or self._future.status != "error":
            return self._error
        error = self._future.exception(timeout=5)
        return "" if isinstance(error, KilledWorker) else f"{error}" or type(error).__name__

    @property
    def used_up(self) -> bool:
        """True once the cluster's task has come to an end of its own, so that nothing more comes of its name."""
        return self._future is not None and self._future.status in ("error", "finished")

    def cancel(self) -> None:
        """Take a run that still waits out of the cluster's queue; it may get another ticket afterwards."""
        self._cancelled = True
        # A task that has begun meanwhile sees that it is not wanted any more.
        self._store.set_ticket(self._run_id, "")
        if self._future is not None:
            self._future.cancel(force=True)

    def _send_then_submit(self, name: str) -> None:
        try:
            fingerprint = self._send(name)
            self._store.set_data_sent(self._run_id, fingerprint)
            if not self._cancelled:
                self._submit()
        except _NotWanted:
            pass
        except AquaDashError as error:
            self._error = str(error)

    def _send(self, name: str) -> str:
        """Put the run's pictures into the store unless they are there; returns their fingerprint."""
        fingerprint = about.about(name).fingerprint
        files = DataFiles(self._store)
        with _sending:
            if files.has(fingerprint):
                return fingerprint
            workshop = settings.home() / "tmp"
            workshop.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=workshop) as folder:
                path = Path(folder) / "pictures.zip"
                told = packing.pack(name, path)
                _log.info("sending the pictures of %s", name)
                files.send(told.fingerprint, path, title=told.title, progress=self._tell)
        return told.fingerprint

    def _tell(self, done: int, size: int) -> None:
        """Say on the waiting run how far the sending is."""
        found = self._store.attendance(self._run_id)
        if self._cancelled or found.status is not RunStatus.QUEUED:
            raise _NotWanted
        self._store.set_message(
            self._run_id,
            f"Its pictures are being sent to the cluster: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB."
            if done < size
            else "",
        )

    def _submit(self) -> None:
        from dask.task_spec import Task
        from distributed import fire_and_forget

        client = self._connected()
        ticket = self._store.attendance(self._run_id).ticket
        if not ticket:
            ticket = f"train-{uuid.uuid4().hex}"
            self._store.set_ticket(self._run_id, ticket)
        # The scheduler knows the task by its name: one that is there already is joined, not done twice.
        # As a producer of data it waits at the scheduler for a free slot. Others are given to workers in advance, and
        # one behind a long run would wait there while those after it start elsewhere.
        task = Task(ticket, look_after, self._run_id, ticket, __version__, _data_producer=True)
        self._future = client.get(
            {ticket: task},
            ticket,
            sync=False,
            priority=self._priority,
            resources={"GPU": 1} if self._device == "gpu" and _has_gpus(client) else None,
        )
        # It stays in the cluster's queue when this process ends.
        fire_and_forget(self._future)


class _NotWanted(Exception):
    """The run was stopped or cancelled while its pictures were on their way."""


def _has_gpus(client: Client) -> bool:
    """Whether a worker says that it has a graphics card; plain ``dask worker`` does not say."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    return any(worker.get("resources", {}).get("GPU") for worker in workers)
