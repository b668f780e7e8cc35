"""The files of a run: what they are called, how they are written and read back."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aquadash import people, settings
from aquadash.classroom.rights import Action, require
from aquadash.errors import RunError, StorageError
from aquadash.evaluation.strangers import StrangerDetector
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.types import EpochRecord, EpochReplay, Predictions

if TYPE_CHECKING:
    from mlflow import MlflowClient

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
MODEL = "model.keras"
PREDICTIONS = "predictions.npz"
VALIDATION_PREDICTIONS = "validation_predictions.npz"
HISTORY = "history.csv"
EPOCHS = "epochs.npz"
STRANGERS = "strangers.npz"
LOG = "worker.log"
CHECKPOINTS = "checkpoint"
ROBUSTNESS = "robustness.json"
ROBUSTNESS_SPARE = "robustness-spare.json"

#: The files that all may read who may look at the run. Whoever opens another may open its network: such files hold it.
_FOR_LOOKING = frozenset(
    {CONFIG, ENVIRONMENT, PREDICTIONS, VALIDATION_PREDICTIONS, HISTORY, EPOCHS, LOG, ROBUSTNESS, ROBUSTNESS_SPARE}
)


def read_strangers(path: Path) -> StrangerDetector:
    """What a run's file of this kind holds.

    Raises:
        StorageError: The file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return StrangerDetector.from_arrays(arrays)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise StorageError(f"The file {STRANGERS} of this run is damaged ({error}). Repeat the run.") from error


class RunArtifacts:
    """Reads and writes the files of runs through MLflow, wherever its artifacts are kept."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def _ask(self, action: Action, run_id: str) -> None:
        if not people.current().leads:
            with storage_errors("read the run"):
                require(action, tag.thing_of(self._client.get_run(run_id).data.tags))

    def add_artifact(self, run_id: str, path: Path, *, folder: str | None = None) -> None:
        """Keep a file with the run, under its own name; replaces one of that name."""
        require(Action.WORK)
        with storage_errors(f"store {path.name}"):
            self._client.log_artifact(run_id, str(path), folder)

    def add_text_artifact(self, run_id: str, name: str, text: str) -> None:
        """Keep a text with the run as a file of that name."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            self.add_artifact(run_id, path)

    def add_json_artifact(self, run_id: str, name: str, values: Mapping[str, Any]) -> None:
        """Keep plain values with the run as a JSON file of that name."""
        self.add_text_artifact(run_id, name, json.dumps(values, indent=2, sort_keys=True))

    def add_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Keep what the run's model says of the test split."""
        self._add_predictions(run_id, PREDICTIONS, predictions)
        with storage_errors("describe the predictions"):
            # Tables of runs need the number for each run's interval, and shall not open a file a row for it.
            self._client.set_tag(run_id, tag.TEST_IMAGES, str(len(predictions.labels)))

    def add_validation_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Keep what the run's model says of its validation images."""
        self._add_predictions(run_id, VALIDATION_PREDICTIONS, predictions)

    def _add_predictions(self, run_id: str, name: str, predictions: Predictions) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            np.savez(
                path,
                indices=predictions.indices,
                labels=predictions.labels,
                probabilities=predictions.probabilities,
            )
            self.add_artifact(run_id, path)

    def add_epoch_replay(self, run_id: str, replay: EpochReplay) -> None:
        """Keep how the answers changed from epoch to epoch; replaces that of the epochs before."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / EPOCHS
            np.savez(path, **replay.to_arrays())  # type: ignore[arg-type]
            self.add_artifact(run_id, path)

    def epoch_replay(self, run_id: str) -> EpochReplay | None:
        """How the answers changed from epoch to epoch.

        None for a run that has none: before its first epoch is complete, made by an older version, or (for a moment,
        while a run is at work) because the file is just being replaced.
        """
        path = self.artifact(run_id, EPOCHS)
        if path is None:
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return EpochReplay.from_arrays(arrays)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def add_strangers(self, run_id: str, detector: StrangerDetector) -> None:
        """Keep what tells images of none of the classes."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / STRANGERS
            np.savez(path, **detector.to_arrays())  # type: ignore[arg-type]
            self.add_artifact(run_id, path)

    def strangers(self, run_id: str) -> StrangerDetector | None:
        """What tells images of none of the run's classes; None for a run that has none, as of older versions.

        Raises:
            StorageError: The file is damaged.
        """
        path = self.artifact(run_id, STRANGERS)
        return read_strangers(path) if path else None

    def add_history(self, run_id: str, history: Sequence[EpochRecord]) -> None:
        """Keep the history as ``history.csv``, a row an epoch, every number exact."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [field.name for field in fields(EpochRecord)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(record) for record in history)
        self.add_text_artifact(run_id, HISTORY, text.getvalue())

    def artifact(self, run_id: str, name: str) -> Path | None:
        """A local path to the run's file, downloaded first from a remote store; None when there is no such file.

        Raises:
            NotAllowedError: The file holds the run's network, and whoever asks may not open that.
        """
        from mlflow.utils.file_utils import local_file_uri_to_path

        with storage_errors(f"read {name}"):
            run = self._client.get_run(run_id)
            require(Action.VIEW if name in _FOR_LOOKING else Action.OPEN_MODEL, tag.thing_of(run.data.tags))
            uri = run.info.artifact_uri
            if uri.startswith(("file:", "/")):
                path = Path(local_file_uri_to_path(uri)) / name
                return path if path.is_file() else None
        if Path(name).name not in self.artifact_names(run_id, folder=str(Path(name).parent)):
            return None
        with storage_errors(f"read {name}"):
            cache = settings.home() / "cache" / "artifacts" / settings.checked_run_id(run_id)
            target = cache / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another thread may be reading the file that an earlier question has left here.
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                os.replace(self._client.download_artifacts(run_id, name, folder), target)
            return target

    def artifact_names(self, run_id: str, *, folder: str = ".") -> list[str]:
        """The names of the run's files in a folder of its artifacts."""
        self._ask(Action.VIEW, run_id)
        with storage_errors("list the files of the run"):
            found = self._client.list_artifacts(run_id, None if folder == "." else folder)
        return [Path(info.path).name for info in found if not info.is_dir]

    def remove_artifacts(self, run_id: str, folder: str) -> None:
        """Drop a folder of the run's files, such as the checkpoints of a finished run."""
        require(Action.WORK)
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        with storage_errors(f"remove {folder}"):
            uri = self._client.get_run(run_id).info.artifact_uri
            get_artifact_repository(uri).delete_artifacts(folder)

    def predictions(self, run_id: str) -> Predictions:
        """What the run's model says of the test split.

        Raises:
            RunError: There are none, because the run has not completed an epoch or has not ended.
            StorageError: The file is damaged.
        """
        found = self._predictions(run_id, PREDICTIONS)
        if found is None:
            raise RunError("This run has no predictions yet. They are made when it ends, from its best epoch.")
        return found

    def validation_predictions(self, run_id: str) -> Predictions | None:
        """What the run's model says of its validation images; None for a run that kept none, as older versions did.

        The indices are positions in the training split, or in the test split where the run validated on test images.

        Raises:
            StorageError: The file is damaged.
        """
        return self._predictions(run_id, VALIDATION_PREDICTIONS)

    def _predictions(self, run_id: str, name: str) -> Predictions | None:
        path = self.artifact(run_id, name)
        if path is None:
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return Predictions(arrays["indices"], arrays["labels"], arrays["probabilities"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise StorageError(
                f"The predictions of this run are damaged ({error}). Resume or repeat the run."
            ) from error

    def model_path(self, run_id: str) -> Path:
        """Where the run's trained model is.

        Raises:
            RunError: There is none, because the run has not completed an epoch or has not ended.
        """
        path = self.artifact(run_id, MODEL)
        if path is None:
            raise RunError("This run has no trained model yet. It is stored when the run ends or is stopped.")
        return path

    def environment(self, run_id: str) -> dict[str, Any]:
        """Versions, seed, dataset fingerprint and device of the run; empty until its worker has started."""
        path = self.artifact(run_id, ENVIRONMENT)
        return json.loads(path.read_text(encoding="utf-8")) if path else {}

    def log(self, run_id: str) -> str:
        """The run's log: whole once it has ended, its last lines while it runs."""
        path = self.artifact(run_id, LOG)
        if path:
            return path.read_text(encoding="utf-8", errors="replace")
        with storage_errors("read the log"):
            return self._client.get_run(run_id).data.tags.get(tag.LOG_TAIL, "")
