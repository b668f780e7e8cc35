"""MLflow as a copy: what a training stores is also sent to the tracking server of ``MLFLOW_TRACKING_URI``.

A thread sends it, so that a server that is slow or away costs the run one warning. No other file imports MLflow.
"""

import importlib.util
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from queue import SimpleQueue
from threading import Thread

from aquadash import config as run_config
from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.store import EpochRecord, LeaseLostError, RunStatus, RunStore, Stopped

_log = logging.getLogger("aquadash.worker")

EXPERIMENT = "aquadash"
#: The tag with the id of our run. A run that is resumed or sent again goes on with its MLflow run.
RUN_ID = "aquadash.run_id"
#: Prefix of final figures: the metrics of the epochs have the same names.
FINAL = "final_"

#: Seconds that a run waits at its end for a server that is slow.
PATIENCE = 10.0
#: Length limit of MLflow for the value of a parameter, in characters; the one for tags is larger.
_LONGEST = 6000
_STATUSES = {RunStatus.FINISHED: "FINISHED", RunStatus.FAILED: "FAILED"}

#: MLflow reads these when it is imported. It then sends no telemetry, prints nothing, and gives a server that is away
#: seconds instead of minutes.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


def prepare() -> None:
    """Import MLflow, if a server is named, in a process that stands by: the import takes a second."""
    if settings.tracking_uri() and importlib.util.find_spec("mlflow") is not None:
        os.environ.update(ENVIRONMENT | {name: os.environ[name] for name in ENVIRONMENT if name in os.environ})
        # urllib3 logs a warning for each retry.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        import mlflow  # noqa: F401


@contextmanager
def mirrored(store: RunStore, run_id: str) -> Iterator[Callable[[EpochRecord], object]]:
    """Send a training to the tracking server while the block runs; yields the function that takes each stored epoch."""
    if not settings.tracking_uri():
        yield lambda record: None
        return
    news: SimpleQueue[EpochRecord | RunStatus | None] = SimpleQueue()
    thread = Thread(target=_send_news, args=(store, run_id, news), name="mlflow", daemon=True)
    thread.start()
    status: RunStatus | None = RunStatus.FAILED
    try:
        yield news.put
        status = RunStatus.FINISHED
    except Stopped:
        status = RunStatus.STOPPED
        raise
    except LeaseLostError:
        # Another worker goes on with the run.
        status = None
        raise
    finally:
        news.put(status)
        thread.join(PATIENCE)
        if thread.is_alive():
            _log.warning(
                "The tracking server is slow and lacks some data. Send it with: runs export %s --mlflow", run_id
            )


def _send_news(store: RunStore, run_id: str, news: SimpleQueue[EpochRecord | RunStatus | None]) -> None:
    try:
        with _refusals():
            sender = _Sender(store, run_id)
            while isinstance(item := news.get(), EpochRecord):
                sender.log_epoch(item)
            if item is not None:
                sender.end(item)
    except (RunError, StorageError) as error:
        _log.warning("%s The run continues. Send it later with: runs export %s --mlflow", error, run_id)


def send(store: RunStore, run_id: str) -> str:
    """Send a run that has ended to the tracking server; return the id of its MLflow run.

    Raises:
        RunError: The run has not ended, no server is named, or MLflow is not installed.
        StorageError: The server does not answer or refuses.
    """
    run = store.get(run_id)
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. It can be sent once it has ended.")
    if not settings.tracking_uri():
        raise RunError("MLFLOW_TRACKING_URI is not set. Set it to the address of your tracking server.")
    with _refusals():
        sender = _Sender(store, run_id)
        sender.end(run.status)
    return sender.mlflow_id


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise RunError(
            f"MLFLOW_TRACKING_URI is set, but {error.name} is not installed: .venv/bin/pip install -r "
            "requirements-mlflow.txt."
        ) from None
    except Exception as error:
        # MLflow and its HTTP library raise exceptions of many kinds, which must not end a run.
        reason = settings.shown_address(" ".join(str(error).split()))[:300]
        address = settings.shown_address(settings.tracking_uri() or "")
        raise StorageError(f"The tracking server {address} does not answer or refused ({reason}).") from error


class _Sender:
    """Writes one run to the tracking server."""

    def __init__(self, store: RunStore, run_id: str) -> None:
        prepare()
        from mlflow import MlflowClient
        from mlflow.entities import Param

        run = store.get(run_id)
        self._store, self._run_id = store, run_id
        self._client = MlflowClient(settings.tracking_uri())
        experiment = self._experiment()
        mlflow_runs = self._client.search_runs([experiment], f"tags.`{RUN_ID}` = '{run_id}'", max_results=1)
        if mlflow_runs:
            self.mlflow_id = mlflow_runs[0].info.run_id
            self._epochs = {point.step for point in self._client.get_metric_history(self.mlflow_id, "val_loss")}
            self._client.update_run(self.mlflow_id, status="RUNNING", name=run.name)
        else:
            tags = {RUN_ID: run_id, "mlflow.source.name": "AquaDash"}
            began = round(1000 * (run.started_at or time.time()))
            self.mlflow_id = self._client.create_run(experiment, began, tags, run.name).info.run_id
            self._epochs = set()
        values = run_config.flatten(run.config)
        values[run_config.DEFINITIONS] = run_config.describe_definitions(run.config.augmentation.definitions)
        params = [Param(name, str(value)[:_LONGEST]) for name, value in values.items()]
        self._client.log_batch(self.mlflow_id, params=params)
        for record in store.history(run_id):
            self.log_epoch(record)

    def _experiment(self) -> str:
        from mlflow.exceptions import MlflowException

        try:
            return str(self._client.create_experiment(EXPERIMENT))
        except MlflowException:
            # The experiment exists already; or the server does not answer, and the next line raises again.
            return str(self._client.get_experiment_by_name(EXPERIMENT).experiment_id)

    def log_epoch(self, record: EpochRecord) -> None:
        """Log the metrics of an epoch once: MLflow would add a second point."""
        if record.epoch not in self._epochs:
            self._epochs.add(record.epoch)
            values = asdict(record)
            self._log_metrics(values, int(values.pop("epoch")))

    def _log_metrics(self, values: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = round(1000 * time.time())
        self._client.log_batch(self.mlflow_id, [Metric(name, value, now, step) for name, value in values.items()])

    def end(self, status: RunStatus) -> None:
        """Log final figures, tags and files, and how the run has ended."""
        from mlflow.entities import RunTag

        run = self._store.get(self._run_id)
        sent = self._client.get_run(self.mlflow_id).data.metrics
        figures = {FINAL + name: value for name, value in run.metrics.items() if sent.get(FINAL + name) != value}
        self._log_metrics(figures, int(run.metrics.get("epochs", 0)))
        texts = {
            "mlflow.note.content": run.note,
            "aquadash.tags": ", ".join(run.tags),
            "aquadash.dataset_fingerprint": run.dataset_fingerprint,
            "aquadash.owner": run.owner_name,
            "aquadash.search_id": run.search_id,
        }
        tags = [RunTag(name, text[:_LONGEST]) for name, text in texts.items() if text]
        self._client.log_batch(self.mlflow_id, tags=tags)
        for name in sorted(self._store.artifact_names(self._run_id)):
            self._client.log_artifact(self.mlflow_id, self._store.artifact(self._run_id, name))
        ended = round(1000 * (run.ended_at or time.time()))
        self._client.set_terminated(self.mlflow_id, _STATUSES.get(status, "KILLED"), ended)
