"""The files of a run: what they are called, how they are written and read back.

Each is read by one function, for pages and commands as for a run that comes from another computer.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, TypeAdapter

from aquadash import settings
from aquadash.config import from_json
from aquadash.errors import RunError, StorageError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.files import flush_to_disk
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.reading import RunReading
from aquadash.runs.types import EpochRecord, EpochReplay, Predictions, Run, within_their_ranges
from aquadash.zips import ZipLimits, open_zip

_log = logging.getLogger(__name__)

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
MODEL = "model.keras"
PREDICTIONS = "predictions.npz"
VALIDATION_PREDICTIONS = "validation_predictions.npz"
HISTORY = "history.csv"
EPOCHS = "epochs.npz"
OOD_DETECTOR = "strangers.npz"
LOG = "worker.log"
CHECKPOINTS = "checkpoint"
ROBUSTNESS = "robustness.json"

#: A data set has at most 100,000 images, 100 classes and 2,000 epochs; what is read here takes far less than this.
_MAX_ARRAY_BYTES = 200_000_000

#: A checkpoint of InceptionV3 has about 1,200 arrays.
_MAX_ARRAYS = 10_000

#: Number types and fixed-length text; objects would be pickles.
_KINDS = frozenset("biufU")
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Environment(BaseModel):
    """What else decides a run's result than its settings; an older version may have written less."""

    #: The version that trained it.
    aquadash: str = ""
    python: str = ""
    platform: str = ""
    processor: str = ""
    #: How many cores.
    cpu_count: int | None = None
    #: Of the libraries, by package.
    versions: dict[str, str] = {}
    #: What TensorFlow found, as ``"CPU:0"``.
    devices: list[str] = []
    #: ``"float32"`` or ``"mixed_bfloat16"``.
    precision: str = "float32"
    seed: int = 0
    dataset: str = ""
    #: SHA-256 of its content.
    dataset_fingerprint: str = ""


def _arrays_of(kind: type[Predictions] | type[EpochReplay]) -> Callable[[Path, Run | None], Any]:
    """What reads a file of the arrays of a record, which go with the run's classes."""
    return lambda path, run: kind.from_arrays(
        read_arrays(path, max_bytes=_MAX_ARRAY_BYTES), num_classes=len(run.class_names) or None if run else None
    )


def _read_detector(path: Path, run: Run | None) -> OutOfDistributionDetector | None:
    """None where an older version kept what none is made of today: too many features, or distances that are all 0."""
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > _MAX_ARRAY_BYTES:
            return None
    found = OutOfDistributionDetector.from_arrays(read_arrays(path, max_bytes=_MAX_ARRAY_BYTES))
    return found if found.threshold > 0 else None


def _read_history(path: Path, run: Run | None) -> list[EpochRecord]:
    with path.open(encoding="utf-8", newline="") as file:
        history = TypeAdapter(list[EpochRecord]).validate_python(list(csv.DictReader(file)))
    for before, record in zip([0, *(record.epoch for record in history)], history, strict=False):
        if record.epoch <= before:
            raise ValueError(f"epoch {record.epoch} comes after epoch {before}")
        within_their_ranges(asdict(record))
    if run and history and history[-1].epoch > (most := run.config.training.epochs):
        raise ValueError(f"it has an epoch {history[-1].epoch}; the run has at most {most}")
    return history


#: What reads each file that pages and commands work with. A reader is given the run to check the file against, or None,
#: and may raise anything for a file that is damaged.
READERS: Mapping[str, Callable[[Path, Run | None], Any]] = {
    CONFIG: lambda path, run: from_json(path.read_text(encoding="utf-8")),
    ENVIRONMENT: lambda path, run: Environment.model_validate_json(path.read_bytes()),
    PREDICTIONS: _arrays_of(Predictions),
    VALIDATION_PREDICTIONS: _arrays_of(Predictions),
    HISTORY: _read_history,
    EPOCHS: _arrays_of(EpochReplay),
    OOD_DETECTOR: _read_detector,
    LOG: lambda path, run: path.read_text(encoding="utf-8", errors="replace"),
}


class RunArtifacts(RunReading):
    """Reads and writes the files of runs through MLflow, wherever its artifacts are kept."""

    @staticmethod
    def _folder(run_id: str) -> Path | None:
        """Where the run's files are, below the home that is open, wherever that was when the run was made; None where
        others use the store, too, which then says where its files are."""
        if settings.store_is_shared():
            return None
        return settings.artifacts() / settings.checked_run_id(run_id) / "artifacts"

    @staticmethod
    def _cache(run_id: str) -> Path:
        """Where what is downloaded of the run's files lies."""
        return settings.home() / "cache" / "artifacts" / settings.checked_run_id(run_id)

    def add_artifact(self, run_id: str, path: Path, *, folder: str | None = None) -> None:
        """Keep a file with the run, under its own name; replaces one of that name, whole or not at all."""
        with storage_errors(f"store {path.name}"):
            kept = self._folder(run_id)
            if kept is None:
                self.client.log_artifact(run_id, str(path), folder)
                return
            target = kept / (folder or "") / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as name:
                copy = shutil.copyfile(path, Path(name) / path.name)
                with copy.open("rb+") as file:
                    flush_to_disk(file)
                os.replace(copy, target)

    def add_text_artifact(self, run_id: str, name: str, text: str) -> None:
        """Keep a text with the run as a file of that name."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            self.add_artifact(run_id, path)

    def add_json_artifact(self, run_id: str, name: str, values: Mapping[str, Any]) -> None:
        """Keep plain values with the run as a JSON file of that name."""
        self.add_text_artifact(run_id, name, json.dumps(values, indent=2, sort_keys=True))

    def set_tags(self, run_id: str, what: str, values: Mapping[str, Any]) -> None:
        """Write tags of a run; ``what`` completes "Could not ..."."""
        from mlflow.entities import RunTag

        with self._changing(run_id, what):
            self.client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in values.items()])

    @contextmanager
    def _changing(self, run_id: str, what: str) -> Iterator[None]:
        """To write to a run, and tell readers; ``what`` and errors as for :meth:`set_tags`."""
        from mlflow.exceptions import MlflowException

        with storage_errors(what):
            try:
                yield
            except MlflowException as error:
                # It may be unknown, or deleted meanwhile, of which the store is not at fault.
                refused = error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
                if refused and self.read(run_id).deleted:
                    raise RunError("What is in the bin cannot be changed. Bring it back first.") from None
                raise
        self.jobs.run_changed(run_id)

    def add_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Keep what the run's model says of the test split."""
        self._add_arrays(run_id, PREDICTIONS, vars(predictions))
        # Tables of runs need the number for each run's interval, and shall not open a file a row for it.
        self.set_tags(run_id, "describe the predictions", {tag.TEST_IMAGES: len(predictions.labels)})

    def add_validation_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Keep what the run's model says of its validation images."""
        self._add_arrays(run_id, VALIDATION_PREDICTIONS, vars(predictions))

    def _add_arrays(self, run_id: str, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
            self.add_artifact(run_id, path)

    def add_robustness(self, run_id: str, text: str) -> None:
        """Keep the figures of the run's robustness."""
        self.add_text_artifact(run_id, ROBUSTNESS, text)
        self.set_tags(run_id, "store the robustness", {tag.ROBUSTNESS: "1"})

    def add_epoch_replay(self, run_id: str, replay: EpochReplay) -> None:
        """Keep how the answers changed from epoch to epoch; replaces that of the epochs before."""
        self._add_arrays(run_id, EPOCHS, vars(replay))

    def epoch_replay(self, run_id: str) -> EpochReplay | None:
        """How the answers changed from epoch to epoch.

        None for a run that has none: before its first epoch is complete, made by an older version, or (for a moment,
        while a run is at work) because a tracking server is just replacing the file.
        """
        try:
            return self._read_artifact(run_id, EPOCHS)
        except StorageError:
            return None

    def add_ood_detector(self, run_id: str, detector: OutOfDistributionDetector) -> None:
        """Keep what tells images of none of the classes."""
        self._add_arrays(run_id, OOD_DETECTOR, detector.to_arrays())

    def ood_detector(self, run_id: str) -> OutOfDistributionDetector | None:
        """What tells images of none of the run's classes; None for a run that has none that is usable."""
        return self._read_artifact(run_id, OOD_DETECTOR)

    def add_history(self, run_id: str, history: Sequence[EpochRecord]) -> None:
        """Keep the history as ``history.csv``, a row an epoch, every number exact."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [field.name for field in fields(EpochRecord)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(record) for record in history)
        self.add_text_artifact(run_id, HISTORY, text.getvalue())

    def artifact(self, run_id: str, name: str) -> Path | None:
        """A local path to the run's file, downloaded first from a remote store; None when there is no such file."""
        kept = self._folder(run_id)
        if kept is not None:
            return kept / name if (kept / name).is_file() else None
        if Path(name).name not in self.artifact_names(run_id, folder=str(Path(name).parent)):
            return None
        with storage_errors(f"read {name}"):
            cache = self._cache(run_id)
            target = cache / name
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another thread may be reading the file that an earlier question has left here.
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                os.replace(self.client.download_artifacts(run_id, name, folder), target)
            return target

    def artifact_names(self, run_id: str, *, folder: str = ".") -> list[str]:
        """The names of the run's files in a folder of its artifacts."""
        kept = self._folder(run_id)
        with storage_errors("list the files of the run"):
            if kept is not None:
                place = kept / folder
                return [path.name for path in place.iterdir() if path.is_file()] if place.is_dir() else []
            found = self.client.list_artifacts(run_id, None if folder == "." else folder)
        return [Path(info.path).name for info in found if not info.is_dir]

    def remove_artifacts(self, run_id: str, name: str) -> None:
        """Drop a file or a folder of the run's files, such as the checkpoints of a finished run."""
        # MlflowClient removes no files: https://github.com/mlflow/mlflow/issues/4185 was closed with this.
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository  # noqa: TID251

        kept = self._folder(run_id)
        with storage_errors(f"remove {name}"):
            if kept is None:
                get_artifact_repository(self.client.get_run(run_id).info.artifact_uri).delete_artifacts(name)
            path = (kept or self._cache(run_id)) / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=kept is None)
            else:
                path.unlink(missing_ok=True)

    def predictions(self, run_id: str) -> Predictions:
        """What the run's model says of the test split.

        Raises:
            RunError: There are none, because the run has not ended or ended too early, or the file is gone.
            StorageError: The file is damaged.
        """
        found: Predictions | None = self._read_artifact(run_id, PREDICTIONS)
        if found is None:
            raise self._lacks(run_id, PREDICTIONS, "They are made when it ends, from its best epoch.", "predictions")
        return found

    def validation_predictions(self, run_id: str) -> Predictions | None:
        """What the run's model says of its validation images; None for a run that kept none, as older versions did.

        The indices are positions in the training split, or in the test split where the run validated on test images.

        Raises:
            StorageError: The file is damaged.
        """
        return self._read_artifact(run_id, VALIDATION_PREDICTIONS)

    def _read_artifact(self, run_id: str, name: str) -> Any:
        """What the file holds; None where there is no such file."""
        path = self.artifact(run_id, name)
        return None if path is None else read_artifact(path, name, self.get(run_id))

    def _lacks(self, run_id: str, name: str, hint: str, what: str) -> RunError:
        run = self.get(run_id)
        if "test_accuracy" not in run.metrics:
            if run.status.ended:
                return RunError(f"{run.name} is {run.status}. It ended before it had any {what}.")
            return RunError(f"This run has no {what} yet. {hint}")
        folder = self._folder(run_id)
        where = "the run store" if folder is None else str(folder)
        return RunError(
            f"{name} of {run.name} is missing: it was stored and is no longer in {where}. Put it back from a copy, or "
            "train the run again."
        )

    def model_path(self, run_id: str) -> Path:
        """Where the run's trained model is.

        Raises:
            RunError: There is none, because the run has not ended or ended too early, or the file is gone.
        """
        path = self.artifact(run_id, MODEL)
        if path is None:
            raise self._lacks(run_id, MODEL, "It is stored when the run ends or is stopped.", "trained model")
        return path

    def environment(self, run_id: str) -> dict[str, Any]:
        """What :class:`Environment` has of the run, as far as it was written; empty until its worker has started.

        Raises:
            StorageError: The file is damaged.
        """
        found: Environment | None = self._read_artifact(run_id, ENVIRONMENT)
        return {} if found is None else found.model_dump(exclude_unset=True)

    def log(self, run_id: str) -> str:
        """The run's log: whole once it has ended, its last lines while it runs."""
        path = self.artifact(run_id, LOG)
        return path.read_text(encoding="utf-8", errors="replace") if path else self.read(run_id).log_tail


def read_artifact(path: Path, name: str, run: Run | None = None) -> Any:
    """What a file of a run holds, checked against the run unless that is None.

    Raises:
        StorageError: It is damaged, or not what its name says.
    """
    try:
        return READERS[name](path, run)
    except Exception as error:
        # Files come from other computers, and their readers answer a damaged one with anything.
        _log.info("%s cannot be read", path, exc_info=True)
        raise StorageError(
            f"{name} of this run is damaged, or not AquaDash's ({tag.reason(error)}). Put it back from a copy, or "
            "train the run again."
        ) from error


def check_arrays(path: Path, *, max_bytes: int) -> None:
    """Read every array of an ``.npz`` file once, to its check sum."""
    # Zeros are packed to next to nothing, so that the growth says nothing here.
    limits = ZipLimits(members=_MAX_ARRAYS, unpacked_bytes=max_bytes, small_bytes=max_bytes)
    with open_zip(path, limits, name="it") as archive:
        for info in archive.infolist():
            with archive.open(info) as file:
                shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
                if dtype.kind not in _KINDS or dtype.hasobject:
                    raise ValueError(f"{info.filename[:40]!r} holds {dtype}; expected numbers or text")
                claimed, left = dtype.itemsize, info.file_size - file.tell()
                for length in shape:
                    claimed *= int(length)
                if claimed != left:
                    raise ValueError(f"{info.filename[:40]!r} claims {claimed:,} bytes and has {left:,}")
                while file.read(1 << 20):
                    pass


def read_arrays(path: Path, *, max_bytes: int) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file by name, not writable, after :func:`check_arrays`; raises what that does."""
    check_arrays(path, max_bytes=max_bytes)
    with np.load(path, allow_pickle=False) as arrays:
        found = dict(arrays)
    for array in found.values():
        # They are kept for everybody who asks.
        array.flags.writeable = False
    return found
