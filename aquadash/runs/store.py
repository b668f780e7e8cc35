"""The run store: a thin, typed layer over MLflow tracking. App, workers and command line meet here and nowhere else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.data.folder.about import fingerprint_of
from aquadash.errors import RunError, StorageError
from aquadash.jobs import JobStatus, Worker
from aquadash.jobs.types import job_id
from aquadash.people import OWNER, Person
from aquadash.runs import tags as tag
from aquadash.runs.artifacts import RunArtifacts
from aquadash.runs.connection import file_number, storage_errors
from aquadash.runs.reading import EPOCH_METRICS, KIND
from aquadash.runs.types import EpochRecord, Guess, Run, RunStatus, clean_name, clean_tag

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Metric

    from aquadash.jobs import Job

#: MLflow's own words for our status, so that its pages show something sensible, too.
_MLFLOW_STATUS = {
    RunStatus.QUEUED: "SCHEDULED",
    RunStatus.RUNNING: "RUNNING",
    RunStatus.FINISHED: "FINISHED",
    RunStatus.STOPPED: "KILLED",
    RunStatus.FAILED: "FAILED",
    RunStatus.INTERRUPTED: "KILLED",
}

#: What begins the names of a run's final figures among its points: the metrics of the epochs keep theirs.
FINAL = "final_"

_MESSAGE_LIMIT = 4000
_NOTE_LIMIT = 4000
_MAX_ATTEMPTS = 4
#: MLflow takes a data set's digest up to this length; the whole fingerprint is in a tag and in the data set's source.
_DIGEST_LENGTH = 36


class RunStore(RunArtifacts):
    """Runs, their histories and (inherited) their files. Safe to use from several threads.

    Every method raises :class:`~aquadash.errors.StorageError` when the store cannot be read or written, and
    :class:`~aquadash.errors.UnknownNameError` for a run that is not there.
    """

    def check_there(self) -> None:
        """Return if the database is the one that was opened.

        Whoever has the file open that was deleted goes on with it, and notices nothing.
        """
        if file_number(self._database) != self._file_number:
            raise StorageError(
                f"The run store's database {self._database} was moved, deleted or replaced during the training, so "
                "what was kept of the run is not there any more. Put the folder back if you can and start AquaDash "
                "again, or train a new run."
            )

    def artifact_location(self) -> str:
        """Where the files of new runs go."""
        with storage_errors("read the run store"):
            return str(self.client.get_experiment(self.experiment_id).artifact_location)

    def identity(self) -> str:
        """A text that is the same for everybody who uses this store, by whatever address, and for nobody else."""
        with storage_errors("read the run store"):
            found = self.client.get_experiment(self.experiment_id)
        return f"{found.experiment_id}-{found.creation_time}"

    # -- what people do ----------------------------------------------------------------------------------------------

    def create(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        search_id: str = "",
        origin: str = "",
        repeats: str = "",
        owner: Person = OWNER,
        hidden: bool = False,
    ) -> Run:
        """Add a run that is to be trained; :meth:`queue` puts it into the queue.

        Args:
            name: What to call it; a friendly one is made up when it is empty.
            search_id: The search that it is a trial of.
            origin: Where it comes from, if it was not trained here.
            repeats: The id of the run that it repeats.
            hidden: Whether it is kept from all students but its owner; see :meth:`set_hidden`.
        """
        from mlflow.entities import Param

        now = repr(time.time())
        values = {tag.STATUS: RunStatus.QUEUED, tag.CREATED: now, tag.QUEUED: now, **tag.config_tags(config)}
        values[tag.SOURCE] = "AquaDash"
        values |= tag.owner_tags(owner)
        # Other pictures may have the name before it trains.
        known = {tag.SEARCH: search_id, tag.ORIGIN: origin, tag.FINGERPRINT: fingerprint_of(config.data.source)}
        known |= {tag.REPEATS: repeats, tag.HIDDEN: "1" if hidden else ""}
        values |= {name: value for name, value in known.items() if value}
        with storage_errors("store the new run"):
            created = self.client.create_run(self.experiment_id, tags=values, run_name=clean_name(name) or None)
            run_id = created.info.run_id
            # Parameters are for people who look at the store with MLflow's own pages; AquaDash reads the tag.
            self.client.log_batch(run_id, params=[Param(key, value) for key, value in tag.parameters(config).items()])
            self.client.update_run(run_id, status=_MLFLOW_STATUS[RunStatus.QUEUED])
            self.add_text_artifact(run_id, "config.json", config.to_json())
        self.jobs.run_changed(run_id)
        return self.get(run_id)

    def set_guess(self, run_id: str, guess: Guess) -> None:
        """Keep what a person expects of the run."""
        run = self.get(run_id)
        if run.status.ended:
            raise RunError(f"{run.name} is {run.status}. A guess has to be made before a run ends.")
        self.set_tags(run_id, "keep the guess", {tag.GUESS: json.dumps(asdict(guess))})

    def delete(self, run_id: str) -> None:
        """Put the run into the bin, from where :meth:`restore` brings it back. A run at work must be stopped first."""
        run = self.read(run_id)
        if not run.status.ended:
            raise RunError(f"{run.name} is {run.status}. Stop it before you delete it.")
        with storage_errors("delete the run"):
            self.client.delete_run(run_id)
        self.jobs.run_changed(run_id)

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back."""
        with storage_errors("restore the run"):
            self.client.restore_run(run_id)
        self.jobs.run_changed(run_id)

    def queue(self, run_id: str, *, needs: str = "") -> Job:
        """Put a run that is new or ended early at the end of the queue; it goes on from the last complete epoch.

        Args:
            needs: What a worker must have to train it, such as ``"gpu"``.

        Raises:
            RunError: It has finished, waits or trains already, or is in the bin.
        """
        run = self.get(run_id)
        if run.deleted:
            raise RunError(f"{run.name} is in the bin. Bring it back first.")
        if run.status.resumable:
            # First the record: one that says that it is to be trained, and has no job, reads as interrupted.
            self.set_status(run_id, RunStatus.QUEUED)
        elif run.status is not RunStatus.QUEUED:
            raise RunError(f"{run.name} is {run.status}; only a stopped, failed or interrupted run can be resumed.")
        return self.jobs.submit(KIND, run_id, {}, owner=run.owner, needs=needs)

    def request_stop(self, run_id: str) -> None:
        """Ask the run's worker to stop; it looks once a second. A run that still waits in the queue stops at once."""
        run = self.get(run_id)
        if run.status.ended:
            raise RunError(f"{run.name} is not running: it is {run.status}.")
        name = job_id(KIND, run_id)
        # One that is just being stored has no job yet.
        job = self.jobs.request_stop(name) if self.jobs.get(name) else None
        if job is None or job.status is JobStatus.STOPPED:
            self.set_status(run_id, RunStatus.STOPPED, message=job.message if job else "")

    # -- what people write on a run ------------------------------------------------------------------------------------

    def rename(self, run_id: str, name: str) -> None:
        """Give the run another name, at most 120 characters; control characters are dropped."""
        cleaned = clean_name(name)
        if not cleaned:
            raise RunError("A run needs a name of at least one visible character.")
        self.set_tags(run_id, "rename the run", {tag.NAME: cleaned})

    def set_note(self, run_id: str, text: str) -> None:
        """Keep a note with the run, at most 4,000 characters."""
        if len(text) > _NOTE_LIMIT:
            raise RunError(f"The note has {len(text)} characters; at most {_NOTE_LIMIT} fit. Please shorten it.")
        try:
            text.encode()
        except UnicodeEncodeError:
            # A terminal hands bytes that are not UTF-8 to a command as such characters.
            raise RunError(
                "The note holds bytes that are not UTF-8. Type it again, or save its file as UTF-8."
            ) from None
        self.set_tags(run_id, "keep the note", {tag.NOTE: text})

    def add_tags(self, run_id: str, tags: Iterable[str]) -> None:
        """Give the run tags; those that it has stay."""
        cleaned = [clean_tag(text) for text in tags]
        self.set_tags(run_id, "tag the run", {tag.LABEL + name: "1" for name in cleaned})

    def remove_tags(self, run_id: str, tags: Iterable[str]) -> None:
        """Take tags from the run; those that it has not are passed over."""
        with self._changing(run_id, "remove the tag"):
            stored = [name for name in self.client.get_run(run_id).data.tags if name.startswith(tag.LABEL)]
            there = {name.removeprefix(tag.LABEL).strip(): name for name in stored}
            # As it stands there: another program may have written what nobody can type.
            gone = {there.get(each.strip()) or there.get("-".join(each.split()).lower()) for each in tags}
            for name in filter(None, gone):
                self.client.delete_tag(run_id, name)

    def set_pinned(self, run_id: str, pinned: bool = True, *, for_all: bool = True) -> None:
        """Let the run stand first in tables, or no longer: in everybody's, or in its owner's alone.

        What its owner has pinned for themselves is unpinned by them alone.
        """
        run = self.read(run_id) if for_all else self.get(run_id)
        if run.pinned and not for_all and not pinned:
            raise RunError("The teacher has pinned this run for everybody; only the teacher can unpin it.")
        # Whose run is shared pins for all: an owner's own pin has come with an import.
        by_owner = run.pinned_by_owner and not run.shared if for_all else pinned
        pins = {tag.PINNED_FOR_ALL: pinned if for_all else run.pinned, tag.PINNED_BY_OWNER: by_owner}
        self.set_tags(run_id, "pin the run", {tag.PINNED: " ".join(name for name, given in pins.items() if given)})

    def set_archived(self, run_id: str, archived: bool = True) -> None:
        """Leave the run out of tables and menus unless asked, or no longer. Nothing of it is lost."""
        self.set_tags(run_id, "archive the run", {tag.ARCHIVED: "1" if archived else ""})

    def set_hidden(self, run_id: str, hidden: bool = True) -> None:
        """Keep the run from all students but its owner, or no longer."""
        self.set_tags(run_id, "hide the run", {tag.HIDDEN: "1" if hidden else ""})

    # -- what workers and engines do ---------------------------------------------------------------------------------

    def set_status(self, run_id: str, status: RunStatus, *, message: str = "") -> None:
        """Write where the run is now, with the time of its end where it ends."""
        values = {tag.STATUS: str(status), tag.MESSAGE: message[:_MESSAGE_LIMIT], tag.ENDED: ""}
        if status.ended:
            values[tag.ENDED] = repr(time.time())
        # MLflow's own word first: a run whose worker is killed in between has not ended, and is resumed.
        with storage_errors("write the status of the run"):
            if status.ended:
                # Unlike an update it writes the time of the end, from which MLflow's pages tell how long a run took.
                self.client.set_terminated(run_id, _MLFLOW_STATUS[status])
            else:
                self.client.update_run(run_id, status=_MLFLOW_STATUS[status])
        self.set_tags(run_id, "write the status of the run", values)

    def ended_as(self, run_id: str) -> RunStatus | None:
        """How the run is written to have ended, whatever its job says; None where it is to be trained."""
        stored = self.stored_run(run_id)
        run = stored.read() if stored is not None else None
        return run.status if run is not None and run.status.ended else None

    def start(self, run_id: str, worker: Worker) -> None:
        """A worker has taken the run."""
        self.set_tags(run_id, "start the run", {tag.STARTED: repr(time.time()), tag.WORKER: json.dumps(asdict(worker))})
        self.set_status(run_id, RunStatus.RUNNING)

    def set_dataset(self, run_id: str, *, class_names: Sequence[str], fingerprint: str) -> None:
        """Record which data the worker has loaded, for MLflow's own pages, too."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        # As letters, not as codes of six characters each: MLflow cuts what is longer than 8,000, and says nothing.
        names = json.dumps(list(class_names), ensure_ascii=False, separators=(",", ":"))
        self.set_tags(run_id, "describe the data", {tag.CLASS_NAMES: names, tag.FINGERPRINT: fingerprint})
        source = self.get(run_id).config.data.source
        data = Dataset(
            name=source,
            digest=fingerprint[:_DIGEST_LENGTH],
            source_type="aquadash",
            source=json.dumps({"source": source, "sha256": fingerprint}),
        )
        self._describe(run_id, DatasetInput(data, [InputTag("mlflow.data.context", "training")]))

    def _describe(self, run_id: str, used: DatasetInput) -> None:
        from mlflow.exceptions import MlflowException

        with storage_errors("describe the data"):
            for attempt in range(_MAX_ATTEMPTS):
                try:
                    self.client.log_inputs(run_id, [used])
                    return
                except MlflowException:
                    # On PostgreSQL it fails when another run describes the same data at the same moment.
                    if attempt == _MAX_ATTEMPTS - 1:
                        raise
                    time.sleep(0.2 * (attempt + 1))

    def log_epoch(self, run_id: str, *records: EpochRecord, curve: Sequence[float], again: bool = False) -> None:
        """Store a complete epoch, and the short curve of validation accuracy for tables of runs."""
        from mlflow.entities import Metric, RunTag

        now = int(time.time() * 1000)
        metrics = [Metric(name, getattr(each, name), now, each.epoch) for each in records for name in EPOCH_METRICS]
        with storage_errors("store the epoch"):
            self.client.log_batch(
                run_id,
                metrics=self._not_stored(run_id, metrics) if again else metrics,
                tags=[RunTag(tag.CURVE, json.dumps(tag.thin(curve)))],
                synchronous=True,
            )
        self.jobs.run_changed(run_id)

    def set_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Store the run's final figures. Those of the same number of epochs that are there already stay."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.set_tags(run_id, "store the results", {tag.METRICS: json.dumps(dict(metrics))})
        step = int(metrics.get("epochs", 0))
        final = [Metric(FINAL + name, float(value), now, step) for name, value in metrics.items()]
        with storage_errors("store the results"):
            self.client.log_batch(run_id, metrics=self._not_stored(run_id, final))

    def _not_stored(self, run_id: str, metrics: Sequence[Metric]) -> list[Metric]:
        """The metrics that have no value at their step yet: MLflow would add a second."""
        return [
            metric
            for metric in metrics
            if all(point.step != metric.step for point in self.client.get_metric_history(run_id, metric.key))
        ]


_stores: dict[tuple[str, str], RunStore] = {}
_opening = threading.Lock()


def open_store(*, at_once: bool = True) -> RunStore:
    """The store that the settings name, opened once a process and shared by its threads.

    Args:
        at_once: False to leave that to whatever needs MLflow, which takes two seconds to import, where the runs can be
            read without (:func:`~aquadash.runs.snapshot.kept_file`).

    Raises:
        StorageError: It cannot be opened; the next call tries again.
    """
    from aquadash.runs.snapshot import is_kept

    key = (settings.tracking_uri(), str(settings.home()))
    with _opening:
        store = _stores.setdefault(key, RunStore())
    if at_once or not is_kept():
        store.open()
    return store
