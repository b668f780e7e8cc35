"""Own pictures on their way to a cluster: they are put into the run store before a worker gets the run."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aquadash import settings
from aquadash.data.folder.store import pack
from aquadash.errors import AquaDashError, DataError
from aquadash.jobs import Job, JobStatus, LeaseLostError
from aquadash.jobs.types import LEASE_SECONDS
from aquadash.runs import RunStore
from aquadash.runs.data_files import DataFiles

_log = logging.getLogger(__name__)

#: One data set at a time is packed and sent; the next run with the same pictures then finds them there.
_sending = threading.Lock()

_THREAD = "aquadash-send"


def start(store: RunStore, job: Job, name: str, *, needs: str) -> None:
    """Send the pictures of a run from a thread of its own, then release its job.

    Args:
        job: A job that is held; its message says how far the sending is.
        needs: What a worker must have to get it then.
    """
    threading.Thread(target=_send_then_release, args=(store, job, name, needs), name=_THREAD, daemon=True).start()


def wait() -> None:
    """Return once nothing is on its way from this process any more."""
    for thread in threading.enumerate():
        if thread.name == _THREAD:
            thread.join()


def _send_then_release(store: RunStore, job: Job, name: str, needs: str) -> None:
    try:
        _send(store, job, name)
        store.jobs.release(job, needs=needs)
    except LeaseLostError:
        _log.info("run %s was stopped while its pictures were on their way", job.run)
    except (AquaDashError, OSError) as error:
        store.jobs.end(job, JobStatus.FAILED, message=str(error))


def _send(store: RunStore, job: Job, name: str) -> None:
    """Put the run's pictures into the store unless they are there."""

    said = ["Its pictures are being packed for the cluster."]

    def progress(done: int, size: int) -> None:
        said[0] = f"Its pictures are being sent to the cluster: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB."
        store.jobs.hold(job, said[0])

    fingerprint = store.get(job.run).dataset_fingerprint
    files = DataFiles(store)
    while not _sending.acquire(timeout=LEASE_SECONDS / 3):
        store.jobs.hold(job, "Its pictures are sent to the cluster after those of another run.")
    try:
        if files.has(fingerprint):
            return
        workshop = settings.home() / "tmp"
        workshop.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=workshop) as folder, _holding(store, job, said):
            path = Path(folder) / "pictures.zip"
            told = pack(name, path)
            if told.fingerprint != fingerprint:
                raise DataError(f"{told.title} has other images now. Put the old ones back, or start a new run.")
            _log.info("sending the pictures of %s", name)
            files.send(fingerprint, path, title=told.title, progress=progress)
    finally:
        _sending.release()


@contextmanager
def _holding(store: RunStore, job: Job, said: list[str]) -> Iterator[None]:
    """Hold a job, with the one text said, while the block runs: packing, or sending a part, may outlast a lease."""
    ended = threading.Event()

    def hold() -> None:
        while not ended.wait(LEASE_SECONDS / 3):
            with suppress(AquaDashError):  # Whoever sends hears of it with the next part.
                store.jobs.hold(job, said[0])

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
