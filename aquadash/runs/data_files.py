"""Own pictures in the run store: how a data set gets from the app's machine to workers on others without a shared disk.

A data set is one file, kept in parts under an MLflow run of an experiment of its own, so that no proxy's limit is in
the way and both ends can say how far they are. It is found by the data set's fingerprint, so that it is sent once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.errors import AquaDashError, DataError
from aquadash.runs.connection import experiment_named, storage_errors

if TYPE_CHECKING:
    from aquadash.runs.store import RunStore

#: The experiment that holds data sets; runs are in another.
EXPERIMENT = "aquadash-data"

#: Bytes of a part.
PART_BYTES = 16 * 2**20

_FINGERPRINT, _PARTS = "aquadash.data.fingerprint", "aquadash.data.parts"

#: Told the bytes that are done and how many there are.
ByteProgress = Callable[[int, int], None]


class DataFiles:
    """The files of data sets in a run store. Every method raises StorageError when that cannot be read or written."""

    def __init__(self, store: RunStore) -> None:
        """Nothing is read yet."""
        self.client, self._store = store.client, store

    def has(self, fingerprint: str) -> bool:
        """Whether the data set of that fingerprint is in the store, whole."""
        return self._find(fingerprint) is not None

    def send(self, fingerprint: str, path: Path, *, title: str, progress: ByteProgress) -> None:
        """Put a data set's file into the store.

        Args:
            fingerprint: The data set's.
            title: What people call the data set, for MLflow's own pages.
            progress: Told how far it is; what it raises ends the sending, and nothing of it stays.
        """
        size, done = path.stat().st_size, 0
        with storage_errors("send the pictures to the run store"):
            run_id = self.client.create_run(experiment_named(self.client, EXPERIMENT), run_name=title).info.run_id
            try:
                with path.open("rb") as file, tempfile.TemporaryDirectory() as folder:
                    number = 0
                    progress(0, size)
                    while part := file.read(PART_BYTES):
                        written = Path(folder) / _part(number)
                        written.write_bytes(part)
                        self.client.log_artifact(run_id, str(written))
                        written.unlink()
                        number, done = number + 1, done + len(part)
                        progress(done, size)
                self.client.set_tag(run_id, _PARTS, str(number))
                self.client.set_terminated(run_id)
                # Last: what has it is whole.
                self.client.set_tag(run_id, _FINGERPRINT, fingerprint)
            except BaseException:
                with suppress(AquaDashError):
                    self.forget(run_id)
                raise

    def fetch(self, fingerprint: str, path: Path, *, progress: ByteProgress) -> str:
        """Get a data set's file from the store; whoever unpacks it sees by the fingerprint whether it is what was sent.

        Args:
            fingerprint: The data set's.

        Returns:
            Which copy it was, for :meth:`forget`.

        Raises:
            DataError: It is not there.
        """
        found = self._find(fingerprint)
        if found is None:
            raise DataError(
                "The pictures of this run are not in the run store any more. Start the run again from the Train page, "
                "which sends them once more."
            )
        run_id, parts = found
        done = 0
        with storage_errors("get the pictures from the run store"):
            size = sum(int(info.file_size or 0) for info in self.client.list_artifacts(run_id))
            with path.open("wb") as file, tempfile.TemporaryDirectory() as folder:
                for number in range(parts):
                    part = Path(self.client.download_artifacts(run_id, _part(number), folder))
                    content = part.read_bytes()
                    part.unlink()
                    file.write(content)
                    done += len(content)
                    progress(done, max(size, done))
        return run_id

    def forget(self, copy: str) -> None:
        """Take a copy that is damaged out of the store, where every run would find it; it may be gone already.

        Its files go as far as they can be removed.
        """
        with storage_errors("take the damaged pictures out of the run store"):
            # First: nobody is to find it without its files.
            self.client.delete_run(copy)
        with suppress(AquaDashError):
            self._store.remove_artifacts(copy, "")

    def _find(self, fingerprint: str) -> tuple[str, int] | None:
        """The MLflow run that holds the file, and its number of parts."""
        if not fingerprint.isalnum():
            return None
        with storage_errors("look for the pictures in the run store"):
            experiment = self.client.get_experiment_by_name(EXPERIMENT)
            if experiment is None:
                return None
            condition = f"tags.`{_FINGERPRINT}` = '{fingerprint}'"
            found = self.client.search_runs([experiment.experiment_id], condition, max_results=1)
        if not found:
            return None
        return found[0].info.run_id, int(found[0].data.tags[_PARTS])


def _part(number: int) -> str:
    return f"part-{number:05d}"
