"""MLflow as a copy: what a training stores is also sent to the tracking server of ``MLFLOW_TRACKING_URI``.

A thread sends it, so that a server that is slow or away costs the run one warning. No other file imports MLflow.
"""

import importlib.util
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from queue import SimpleQueue
from threading import Thread
from typing import Any

from aquadash import config as run_config
from aquadash import settings
from aquadash.errors import RunError, StorageError
from aquadash.store import EpochRecord, LeaseLostError, Run, RunStatus, RunStore, Stopped

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
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
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

    def send_news() -> None:
        try:
            _write(store, run_id, iter(news.get, None))
        except (RunError, StorageError) as error:
            _log.warning("%s The run continues. Send it later with: runs export %s --mlflow", error, run_id)

    thread = Thread(target=send_news, name="mlflow", daemon=True)
    thread.start()
    try:
        yield news.put
        news.put(RunStatus.FINISHED)
    except LeaseLostError:
        # Another worker goes on with the run.
        raise
    except BaseException as error:
        news.put(RunStatus.STOPPED if isinstance(error, Stopped) else RunStatus.FAILED)
        raise
    finally:
        news.put(None)
        thread.join(PATIENCE)
        if thread.is_alive():
            _log.warning(
                "The tracking server is slow and lacks some data. Send it with: runs export %s --mlflow", run_id
            )


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
    return _write(store, run_id, [run.status])


def _write(store: RunStore, run_id: str, news: Iterable[EpochRecord | RunStatus]) -> str:
    """Write a run to the tracking server: what is stored, then the news; return the id of its MLflow run."""
    try:
        prepare()
        from mlflow import MlflowClient

        client = MlflowClient(settings.tracking_uri())
        mlflow_id, epochs = _begin(client, store, run_id)
        for item in chain(store.history(run_id), news):
            if isinstance(item, RunStatus):
                _end(client, mlflow_id, store, store.get(run_id), item)
            elif item.epoch not in epochs:
                # MLflow would add a second point.
                epochs.add(item.epoch)
                values = asdict(item)
                _log_metrics(client, mlflow_id, values, int(values.pop("epoch")))
        return mlflow_id
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


def _begin(client: Any, store: RunStore, run_id: str) -> tuple[str, set[int]]:
    """Create the MLflow run, or go on with an earlier one; return its id and its epochs."""
    from mlflow.entities import Param

    run, epochs = store.get(run_id), set[int]()
    known = client.get_experiment_by_name(EXPERIMENT)
    experiment = known.experiment_id if known else client.create_experiment(EXPERIMENT)
    mlflow_runs = client.search_runs([experiment], f"tags.`{RUN_ID}` = '{run_id}'", max_results=1)
    if mlflow_runs:
        mlflow_id = str(mlflow_runs[0].info.run_id)
        epochs = {point.step for point in client.get_metric_history(mlflow_id, "val_loss")}
        client.update_run(mlflow_id, status="RUNNING", name=run.name)
    else:
        tags = {RUN_ID: run_id, "mlflow.source.name": "AquaDash"}
        began = round(1000 * (run.started_at or time.time()))
        mlflow_id = str(client.create_run(experiment, began, tags, run.name).info.run_id)
    values = run_config.flatten(run.config)
    values[run_config.DEFINITIONS] = run_config.describe_definitions(run.config.augmentation.definitions)
    client.log_batch(mlflow_id, params=[Param(name, str(value)[:_LONGEST]) for name, value in values.items()])
    return mlflow_id, epochs


def _log_metrics(client: Any, mlflow_id: str, values: Mapping[str, float], step: int) -> None:
    from mlflow.entities import Metric

    now = round(1000 * time.time())
    client.log_batch(mlflow_id, [Metric(name, value, now, step) for name, value in values.items()])


def _end(client: Any, mlflow_id: str, store: RunStore, run: Run, status: RunStatus) -> None:
    from mlflow.entities import RunTag

    sent = client.get_run(mlflow_id).data.metrics
    figures = {FINAL + name: value for name, value in run.metrics.items() if sent.get(FINAL + name) != value}
    _log_metrics(client, mlflow_id, figures, int(run.metrics.get("epochs", 0)))
    texts = {
        "mlflow.note.content": run.note,
        "aquadash.tags": ", ".join(run.tags),
        "aquadash.dataset_fingerprint": run.dataset_fingerprint,
        "aquadash.owner": run.owner_name,
        "aquadash.search_id": run.search_id,
    }
    client.log_batch(mlflow_id, tags=[RunTag(name, text[:_LONGEST]) for name, text in texts.items() if text])
    for name in sorted(store.artifact_names(run.run_id)):
        client.log_artifact(mlflow_id, store.artifact(run.run_id, name))
    client.set_terminated(mlflow_id, _STATUSES.get(status, "KILLED"), round(1000 * (run.ended_at or time.time())))
