"""The run store: a thin, typed layer over MLflow tracking. App, workers and command line meet here and nowhere else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aquadash.config import RunConfig
from aquadash.errors import RunError, UnknownNameError
from aquadash.runs import tags as tag
from aquadash.runs.artifacts import RunArtifacts
from aquadash.runs.connection import connect, storage_errors
from aquadash.runs.types import EpochRecord, Guess, Progress, Run, RunStatus, Worker

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

#: The columns of a history, in the order of ``history.csv`` after ``epoch``.
EPOCH_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")

#: MLflow's own words for our status, so that its pages show something sensible, too.
_MLFLOW_STATUS = {
    RunStatus.QUEUED: "SCHEDULED",
    RunStatus.RUNNING: "RUNNING",
    RunStatus.FINISHED: "FINISHED",
    RunStatus.STOPPED: "KILLED",
    RunStatus.FAILED: "FAILED",
    RunStatus.INTERRUPTED: "KILLED",
}

_NAME_LIMIT = 120
_NOTE_LIMIT = 4000
_LOG_TAIL_LIMIT = 6000
#: MLflow takes a data set's digest up to this length; the whole fingerprint is in a tag and in the data set's source.
_DIGEST_LENGTH = 36
_PAGE = 500


class RunStore(RunArtifacts):
    """Runs, their histories and (inherited) their files. Safe to use from several threads.

    Every method raises :class:`~aquadash.errors.StorageError` when the store cannot be read or written, and
    :class:`~aquadash.errors.UnknownNameError` for a run that is not there.
    """

    def __init__(self, client: MlflowClient, experiment_id: str) -> None:
        super().__init__(client)
        self._experiment_id = experiment_id

    # -- reading -----------------------------------------------------------------------------------------------------

    def list_runs(self, *, deleted: bool = False) -> list[Run]:
        """All runs, newest first; with ``deleted`` those in the bin instead."""
        from mlflow.entities import ViewType

        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        runs: list[Run] = []
        token: str | None = None
        with storage_errors("read the runs"):
            while True:
                page = self._client.search_runs(
                    [self._experiment_id], run_view_type=view, max_results=_PAGE, page_token=token
                )
                runs.extend(run for found in page if (run := _to_run(found)) is not None)
                token = page.token
                if not token:
                    return sorted(runs, key=lambda run: run.created_at, reverse=True)

    def get(self, run_id: str) -> Run:
        """One run by its full id, a deleted one too."""
        from mlflow.exceptions import MlflowException

        with storage_errors("read the run"):
            try:
                found = self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise UnknownNameError(f"There is no run {run_id[:40]!r}. It may have been removed.") from None
                raise
        run = _to_run(found)
        if run is None:
            raise RunError(f"Run {run_id} is in the store, but another program made it; AquaDash cannot read it.")
        return run

    def resolve(self, text: str, *, deleted: bool = False) -> str:
        """The id that a run id, a unique prefix of one or a run's unique name stands for.

        With ``deleted`` the runs in the bin are meant, otherwise the others.

        Raises:
            UnknownNameError: No run fits.
            RunError: More than one does.
        """
        runs = self.list_runs(deleted=deleted)
        exact = [run for run in runs if run.run_id == text]
        named = exact or [run for run in runs if run.name == text]
        found = named or [run for run in runs if text and run.run_id.startswith(text)]
        if not found:
            raise UnknownNameError.of("run", text, [run.name for run in runs])
        if len(found) > 1:
            ids = ", ".join(f"{run.run_id[:8]} ({run.name})" for run in found[:6])
            raise RunError(f"{text[:80]!r} fits {len(found)} runs: {ids}. Give more of the id.")
        return found[0].run_id

    def history(self, run_id: str) -> list[EpochRecord]:
        """The run's complete epochs in order; one that was trained twice, before and after a resume, counts once."""
        columns: dict[str, dict[int, float]] = {}
        with storage_errors("read the history of the run"):
            for name in EPOCH_METRICS:
                points = sorted(self._client.get_metric_history(run_id, name), key=lambda point: point.timestamp)
                columns[name] = {point.step: point.value for point in points}
        epochs = sorted(set.intersection(*(set(column) for column in columns.values())))
        return [EpochRecord(epoch, **{name: columns[name][epoch] for name in EPOCH_METRICS}) for epoch in epochs]

    def queue_position(self, run_id: str) -> int | None:
        """1 for the run that starts next, and so on; None for one that is not queued."""
        queued = sorted((run for run in self.list_runs() if run.status is RunStatus.QUEUED), key=lambda r: r.queued_at)
        ids = [run.run_id for run in queued]
        return ids.index(run_id) + 1 if run_id in ids else None

    def queued_by(self, run_id: str) -> Worker | None:
        """The process whose engine holds the queued run."""
        with storage_errors("read the run"):
            text = self._client.get_run(run_id).data.tags.get(tag.QUEUED_BY)
        return Worker(**json.loads(text)) if text else None

    # -- what people do ----------------------------------------------------------------------------------------------

    def create(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        queued_by: Worker | None = None,
        search_id: str = "",
        origin: str = "",
        repeats: str = "",
        pair: tuple[str, str] | None = None,
    ) -> Run:
        """Add a run to the end of the queue.

        Args:
            config: What it is made from.
            name: What to call it; a friendly one is made up when it is empty.
            queued_by: The process whose engine will run it.
            search_id: The search that it is a trial of.
            origin: Where it comes from, if it was not trained here.
            repeats: The id of the run that it repeats.
            pair: The pair that it is one half of, and which: ``(pair_id, "with" or "without")``.
        """
        from mlflow.entities import Param

        now = repr(time.time())
        values = {tag.STATUS: RunStatus.QUEUED, tag.CREATED: now, tag.QUEUED: now, **tag.config_tags(config)}
        values[tag.SOURCE] = "AquaDash"
        if queued_by:
            values[tag.QUEUED_BY] = _json_of(queued_by)
        if search_id:
            values[tag.SEARCH] = search_id
        if origin:
            values[tag.ORIGIN] = origin
        if repeats:
            values[tag.REPEATS] = repeats
        if pair:
            values[tag.PAIR], values[tag.PAIR_ROLE] = pair
        with storage_errors("store the new run"):
            created = self._client.create_run(self._experiment_id, tags=values, run_name=_clean_name(name) or None)
            run_id = created.info.run_id
            # Parameters are for people who look at the store with MLflow's own pages; AquaDash reads the tag.
            self._client.log_batch(run_id, params=[Param(key, value) for key, value in tag.parameters(config).items()])
            self._client.update_run(run_id, status=_MLFLOW_STATUS[RunStatus.QUEUED])
            self.add_text_artifact(run_id, "config.json", config.to_json())
        return self.get(run_id)

    def rename(self, run_id: str, name: str) -> None:
        """Give the run another name, at most 120 characters; control characters are dropped."""
        cleaned = _clean_name(name)
        if not cleaned:
            raise RunError("A run needs a name of at least one visible character.")
        self._set(run_id, "rename the run", {tag.NAME: cleaned})

    def set_note(self, run_id: str, text: str) -> None:
        """Keep a note with the run, at most 4,000 characters."""
        if len(text) > _NOTE_LIMIT:
            raise RunError(f"The note has {len(text)} characters; at most {_NOTE_LIMIT} fit. Please shorten it.")
        self._set(run_id, "keep the note", {tag.NOTE: text})

    def set_guess(self, run_id: str, guess: Guess) -> None:
        """Keep what a person expects of the run.

        Raises:
            RunError: The run has ended, so that there is nothing left to guess.
        """
        run = self.get(run_id)
        if run.status.ended:
            raise RunError(f"{run.name} is {run.status}. A guess has to be made before a run ends.")
        self._set(run_id, "keep the guess", {tag.GUESS: tag.guess_tag(guess)})

    def delete(self, run_id: str) -> None:
        """Put the run into the bin, from where :meth:`restore` brings it back. A run at work must be stopped first."""
        run = self.get(run_id)
        if not run.status.ended:
            raise RunError(f"{run.name} is {run.status}. Stop it before you delete it.")
        with storage_errors("delete the run"):
            self._client.delete_run(run_id)

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back."""
        with storage_errors("restore the run"):
            self._client.restore_run(run_id)

    def request_stop(self, run_id: str) -> None:
        """Ask the run's worker to stop; it looks once a second. A run that still waits in the queue stops at once."""
        run = self.get(run_id)
        if run.status.ended:
            raise RunError(f"{run.name} is not running: it is {run.status}.")
        self._set(run_id, "ask the run to stop", {tag.STOP: "1"})
        if run.status is RunStatus.QUEUED:
            self.set_status(run_id, RunStatus.STOPPED, message="Taken out of the queue before it started.")

    def requeue(self, run_id: str, *, queued_by: Worker | None = None) -> Run:
        """Put a run that ended early back into the queue; its worker goes on from the last complete epoch."""
        run = self.get(run_id)
        if not run.status.resumable and run.status is not RunStatus.QUEUED:
            raise RunError(f"{run.name} is {run.status}; only a stopped, failed or interrupted run can be resumed.")
        values = {tag.STOP: "", tag.QUEUED: repr(time.time())} if run.status is not RunStatus.QUEUED else {tag.STOP: ""}
        if queued_by:
            values[tag.QUEUED_BY] = _json_of(queued_by)
        self._set(run_id, "put the run into the queue", values)
        self.set_status(run_id, RunStatus.QUEUED)
        return self.get(run_id)

    # -- what workers and engines do ---------------------------------------------------------------------------------

    def set_status(self, run_id: str, status: RunStatus, *, message: str = "") -> None:
        """Write where the run is now, with the time of its end where it ends."""
        values = {tag.STATUS: str(status), tag.MESSAGE: message[:_NOTE_LIMIT], tag.ENDED: ""}
        if status.ended:
            values[tag.ENDED] = repr(time.time())
        self._set(run_id, "write the status of the run", values)
        with storage_errors("write the status of the run"):
            if status.ended:
                # Unlike an update it writes the time of the end, from which MLflow's pages tell how long a run took.
                self._client.set_terminated(run_id, _MLFLOW_STATUS[status])
            else:
                self._client.update_run(run_id, status=_MLFLOW_STATUS[status])

    def start(self, run_id: str, worker: Worker) -> None:
        """A worker has taken the run."""
        self._set(run_id, "start the run", {tag.STARTED: repr(time.time()), tag.WORKER: _json_of(worker)})
        self.set_status(run_id, RunStatus.RUNNING)

    def set_dataset(self, run_id: str, *, class_names: Sequence[str], fingerprint: str) -> None:
        """Record which data the worker has loaded, for MLflow's own pages, too."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        self._set(
            run_id, "describe the data", {tag.CLASS_NAMES: json.dumps(list(class_names)), tag.FINGERPRINT: fingerprint}
        )
        source = self.get(run_id).config.data.source
        data = Dataset(
            name=source,
            digest=fingerprint[:_DIGEST_LENGTH],
            source_type="aquadash",
            source=json.dumps({"source": source, "sha256": fingerprint}),
        )
        with storage_errors("describe the data"):
            self._client.log_inputs(run_id, [DatasetInput(data, [InputTag("mlflow.data.context", "training")])])

    def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
        """Write a sign of life and, if given, the end of the log; returns whether somebody asked the run to stop."""
        values = {tag.PROGRESS: tag.progress_tag(progress)}
        if log_tail is not None:
            values[tag.LOG_TAIL] = log_tail[-_LOG_TAIL_LIMIT:]
        self._set(run_id, "report progress", values)
        with storage_errors("read the stop request"):
            return self._client.get_run(run_id).data.tags.get(tag.STOP) == "1"

    def log_epoch(self, run_id: str, record: EpochRecord, *, curve: Sequence[float]) -> None:
        """Store a complete epoch, and the short curve of validation accuracy for tables of runs."""
        from mlflow.entities import Metric, RunTag

        now = int(time.time() * 1000)
        metrics = [Metric(name, getattr(record, name), now, record.epoch) for name in EPOCH_METRICS]
        with storage_errors("store the epoch"):
            self._client.log_batch(
                run_id, metrics=metrics, tags=[RunTag(tag.CURVE, json.dumps(tag.thin(curve)))], synchronous=True
            )

    def set_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Store the run's final figures."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._set(run_id, "store the results", {tag.METRICS: json.dumps(dict(metrics))})
        with storage_errors("store the results"):
            # Under names of their own: the epochs' metrics keep theirs.
            self._client.log_batch(
                run_id, metrics=[Metric(f"final_{name}", float(value), now, 0) for name, value in metrics.items()]
            )

    def _set(self, run_id: str, what: str, values: Mapping[str, Any]) -> None:
        from mlflow.entities import RunTag

        with storage_errors(what):
            self._client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in values.items()])


def _to_run(found: MlflowRun) -> Run | None:
    tags: dict[str, str] = dict(found.data.tags)
    return tag.read_run(found.info.run_id, tags, deleted=found.info.lifecycle_stage == "deleted")


def _json_of(worker: Worker) -> str:
    return json.dumps({"host": worker.host, "pid": worker.pid})


def _clean_name(name: str | None) -> str:
    """Printable characters only, runs of white space made one blank, at most 120 characters."""
    printable = "".join(char if char.isprintable() else " " for char in name or "")
    return " ".join(printable.split())[:_NAME_LIMIT]


_opened: dict[tuple[str, str], RunStore] = {}
_opening = threading.Lock()


def open_store() -> RunStore:
    """The store that the settings name, opened once a process and shared by its threads.

    Raises:
        StorageError: It cannot be opened; the next call tries again.
    """
    from aquadash import settings

    key = (settings.tracking_uri(), str(settings.home()))
    with _opening:
        if key not in _opened:
            _opened[key] = RunStore(*connect())
        return _opened[key]
