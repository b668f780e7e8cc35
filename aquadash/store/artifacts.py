"""The files of a run: what they are called, how they are written and read back.

Each is read by one function, for pages and commands as for a run that comes from another computer.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
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
from aquadash.files import replacing, write_whole
from aquadash.store.database import storage_errors
from aquadash.store.types import EpochRecord, EpochReplay, Predictions, Run, reason, within_their_ranges
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


class RunArtifacts:
    """Reads and writes the files of runs in ``runs/RUN_ID/`` of the home."""

    get: Callable[[str], Run]
    read: Callable[[str], Run]
    describe: Callable[..., None]

    def add_artifact(self, run_id: str, path: Path, *, folder: str | None = None) -> None:
        """Copy a file to the run's, under its own name; replaces one of that name, whole or not at all."""
        with storage_errors(f"store {path.name}"):
            target = settings.run_folder(run_id) / (folder or "") / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as source, replacing(target) as file:
                shutil.copyfileobj(source, file)

    def add_text_artifact(self, run_id: str, name: str, text: str) -> None:
        """Keep a text with the run as a file of that name."""
        with storage_errors(f"store {name}"):
            target = settings.run_folder(run_id) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, text)

    def add_json_artifact(self, run_id: str, name: str, values: Mapping[str, Any]) -> None:
        """Keep plain values with the run as a JSON file of that name."""
        self.add_text_artifact(run_id, name, json.dumps(values, indent=2, sort_keys=True))

    def add_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Keep the model's answers to the test images."""
        self._add_arrays(run_id, PREDICTIONS, vars(predictions))
        # The interval of each run in a table needs this number, and a table must not open a file for each row.
        self.describe(run_id, test_images=len(predictions.labels))

    def add_validation_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Keep the model's answers to the run's validation images."""
        self._add_arrays(run_id, VALIDATION_PREDICTIONS, vars(predictions))

    def _add_arrays(self, run_id: str, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        with storage_errors(f"store {name}"):
            target = settings.run_folder(run_id) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as file:
                np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    def add_robustness(self, run_id: str, text: str) -> None:
        """Keep the figures of the run's robustness."""
        self.add_text_artifact(run_id, ROBUSTNESS, text)
        self.describe(run_id, has_robustness=True)

    def add_epoch_replay(self, run_id: str, replay: EpochReplay) -> None:
        """Keep how the answers changed from epoch to epoch; replaces that of the epochs before."""
        self._add_arrays(run_id, EPOCHS, vars(replay))

    def epoch_replay(self, run_id: str) -> EpochReplay | None:
        """Return how the answers changed from epoch to epoch.

        None for a run that has none: before its first epoch is complete, or made by an older version.
        """
        try:
            return self._read_artifact(run_id, EPOCHS)
        except StorageError:
            return None

    def add_ood_detector(self, run_id: str, detector: OutOfDistributionDetector) -> None:
        """Keep the detector of images of none of the classes."""
        self._add_arrays(run_id, OOD_DETECTOR, detector.to_arrays())

    def ood_detector(self, run_id: str) -> OutOfDistributionDetector | None:
        """Return the detector of images of none of the run's classes; None for a run without a usable one."""
        return self._read_artifact(run_id, OOD_DETECTOR)

    def add_history(self, run_id: str, history: Sequence[EpochRecord]) -> None:
        """Keep the history as ``history.csv``, a row an epoch, every number exact."""
        text = io.StringIO()
        writer = csv.DictWriter(text, [field.name for field in fields(EpochRecord)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(record) for record in history)
        self.add_text_artifact(run_id, HISTORY, text.getvalue())

    def artifact(self, run_id: str, name: str) -> Path | None:
        """Return the path of the run's file; None if there is no such file."""
        path = settings.run_folder(run_id) / name
        return path if path.is_file() else None

    def artifact_names(self, run_id: str, *, folder: str = ".") -> list[str]:
        """Return the names of the run's files in a folder of its files."""
        with storage_errors("list the files of the run"):
            inside = settings.run_folder(run_id) / folder
            return [path.name for path in inside.iterdir() if path.is_file()] if inside.is_dir() else []

    def remove_artifacts(self, run_id: str, name: str) -> None:
        """Delete a file or a folder of the run's files, such as the checkpoints of a finished run."""
        with storage_errors(f"remove {name}"):
            path = settings.run_folder(run_id) / name
            if path.is_dir():
                shutil.rmtree(path)
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
        return RunError(
            f"{name} of {run.name} is missing: it was stored and is no longer in {settings.run_folder(run_id)}. Put it "
            "back from a copy, or train the run again."
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
            f"{name} of this run is damaged, or not AquaDash's ({reason(error)}). Put it back from a copy, or "
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
