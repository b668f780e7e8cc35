"""The files of a run: their names, and how they are written and read.

One function reads each kind of file, for pages and commands as well as for an imported run.
"""

import csv
import io
import logging
import shutil
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
from aquadash.files import replacing, write_whole
from aquadash.store.database import storage_errors
from aquadash.store.types import EpochRecord, EpochReplay, Predictions, Run, in_order, reason
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

#: The most unpacked bytes of a file of arrays, far above those of 100,000 images, 100 classes and 2,000 epochs.
MAX_ARRAY_BYTES = 200_000_000

#: A checkpoint of InceptionV3 has about 1,200 arrays.
_MAX_ARRAYS = 10_000

#: The allowed dtypes: numbers and text of a fixed length. NumPy stores objects as pickles, which can run code.
_KINDS = frozenset("biufU")
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Environment(BaseModel):
    """The software, hardware and data behind a run's result; older versions stored less."""

    #: The version of AquaDash.
    aquadash: str = ""
    python: str = ""
    platform: str = ""
    processor: str = ""
    #: The number of processor cores.
    cpu_count: int | None = None
    #: The versions of the libraries by package.
    versions: dict[str, str] = {}
    #: TensorFlow's devices, such as ``"CPU:0"``.
    devices: list[str] = []
    #: ``"float32"`` or ``"mixed_bfloat16"``.
    precision: str = "float32"
    seed: int = 0
    dataset: str = ""
    #: SHA-256 of the data set's content.
    dataset_fingerprint: str = ""


def _arrays_of(kind: type[Predictions] | type[EpochReplay]) -> Callable[[Path, Run | None], Any]:
    """Return a reader of a record's arrays that checks them against the run's classes."""
    return lambda path, run: kind.from_arrays(
        read_arrays(path, max_bytes=MAX_ARRAY_BYTES), num_classes=len(run.class_names) or None if run else None
    )


def _read_detector(path: Path, run: Run | None) -> OutOfDistributionDetector | None:
    """Read the detector; None for one of an older version with too many features or with distances of 0 only."""
    with zipfile.ZipFile(path) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_ARRAY_BYTES:
            return None
    detector = OutOfDistributionDetector.from_arrays(read_arrays(path, max_bytes=MAX_ARRAY_BYTES))
    return detector if detector.threshold > 0 else None


def _read_history(path: Path, run: Run | None) -> Sequence[EpochRecord]:
    with path.open(encoding="utf-8", newline="") as file:
        history = TypeAdapter(list[EpochRecord]).validate_python(list(csv.DictReader(file)))
    return in_order(history, run.config.training.epochs if run else None)


#: The reader of each file for pages and commands. A reader checks the file against the run unless that is None, and may
#: raise any exception for a damaged file.
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
    update: Callable[..., None]

    def add_artifact(self, run_id: str, path: Path, name: str = "") -> None:
        """Copy a file into the run's folder, under its own name unless another is named; replace one of that name."""
        with self._writing(run_id, name or path.name) as target, path.open("rb") as source, replacing(target) as file:
            shutil.copyfileobj(source, file)

    def add_text_artifact(self, run_id: str, name: str, text: str) -> None:
        """Store a text as a file of the run."""
        with self._writing(run_id, name) as target:
            write_whole(target, text)

    def add_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Store the model's answers to the test images."""
        self.add_arrays(run_id, PREDICTIONS, vars(predictions))
        # The interval of each run in a table needs this number, and a table must not open a file for each row.
        self.update(run_id, test_images=len(predictions.labels))

    def add_validation_predictions(self, run_id: str, predictions: Predictions) -> None:
        """Store the model's answers to the run's validation images."""
        self.add_arrays(run_id, VALIDATION_PREDICTIONS, vars(predictions))

    def add_epoch_replay(self, run_id: str, replay: EpochReplay) -> None:
        """Store how the answers changed from epoch to epoch, in place of an earlier replay."""
        self.add_arrays(run_id, EPOCHS, vars(replay))

    def add_robustness(self, run_id: str, text: str) -> None:
        """Store the figures of the run's robustness."""
        self.add_text_artifact(run_id, ROBUSTNESS, text)
        self.update(run_id, has_robustness=True)

    def epoch_replay(self, run_id: str) -> EpochReplay | None:
        """Return how the answers changed from epoch to epoch; None for a run without a usable file."""
        try:
            return self.read_file(run_id, EPOCHS)
        except StorageError:
            return None

    def add_arrays(self, run_id: str, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Store arrays by name as an ``.npz`` file of the run."""
        with self._writing(run_id, name) as target, replacing(target) as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    @contextmanager
    def _writing(self, run_id: str, name: str) -> Iterator[Path]:
        with storage_errors(f"store {name}"):
            target = settings.run_folder(run_id) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            yield target

    def add_history(self, run_id: str, history: Sequence[EpochRecord]) -> None:
        """Store the history as ``history.csv``, a row an epoch, with exact numbers."""
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
        """Return the names of the files in the run's folder or one inside it."""
        with storage_errors("list the files of the run"):
            inside = settings.run_folder(run_id) / folder
            return [path.name for path in inside.iterdir() if path.is_file()] if inside.is_dir() else []

    def remove_artifacts(self, run_id: str, name: str) -> None:
        """Delete a file or a folder of the run, such as the checkpoints of a finished run."""
        with storage_errors(f"remove {name}"):
            path = settings.run_folder(run_id) / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def predictions(self, run_id: str) -> Predictions:
        """Return the predictions of the test images.

        Raises:
            RunError: The file is missing, such as before the end of the run.
            StorageError: The file is damaged.
        """
        predictions: Predictions | None = self.read_file(run_id, PREDICTIONS)
        if predictions is None:
            raise self._lacks(run_id, PREDICTIONS, "They are made when it ends, from its best epoch.", "predictions")
        return predictions

    def validation_predictions(self, run_id: str) -> Predictions | None:
        """Return the predictions of the validation images; None if the run stored none, as in older versions.

        The indices are positions in the training split, or in the test split where the run validated on test images.

        Raises:
            StorageError: The file is damaged.
        """
        return self.read_file(run_id, VALIDATION_PREDICTIONS)

    def read_file(self, run_id: str, name: str) -> Any:
        """Read a file of the run; None for a missing one. A damaged one raises a ``StorageError``."""
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
        """Return the file of the trained model; raise ``RunError`` if it is missing, such as before the run's end."""
        path = self.artifact(run_id, MODEL)
        if path is None:
            raise self._lacks(run_id, MODEL, "It is stored when the run ends or is stopped.", "trained model")
        return path

    def environment(self, run_id: str) -> dict[str, Any]:
        """Return the stored values of :class:`Environment`; empty until the run's worker has started.

        Raises:
            StorageError: The file is damaged.
        """
        environment: Environment | None = self.read_file(run_id, ENVIRONMENT)
        return {} if environment is None else environment.model_dump(exclude_unset=True)

    def log(self, run_id: str) -> str:
        """Return the log of an ended run, or the last lines of the log of a running one."""
        path = self.artifact(run_id, LOG)
        return path.read_text(encoding="utf-8", errors="replace") if path else self.read(run_id).log_tail


def read_artifact(path: Path, name: str, run: Run | None = None) -> Any:
    """Read a file of a run, and check it against the run unless that is None; raise ``StorageError`` for damage."""
    try:
        return READERS[name](path, run)
    except Exception as error:
        # A file may come from another computer, and the readers raise any exception for a damaged one.
        _log.info("%s cannot be read", path, exc_info=True)
        raise StorageError(
            f"{name} of this run is damaged, or not AquaDash's ({reason(error)}). Put it back from a copy, or "
            "train the run again."
        ) from error


def check_arrays(path: Path, *, max_bytes: int) -> None:
    """Read every array of an ``.npz`` file once, which verifies its check sum and its size."""
    # Arrays of zeros are packed to almost nothing, so the ratio of sizes does not reveal a hostile file.
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
    """Return the arrays of an ``.npz`` file by name, read-only, after :func:`check_arrays`."""
    check_arrays(path, max_bytes=max_bytes)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    for array in arrays.values():
        # All pages share the cached arrays.
        array.flags.writeable = False
    return arrays
