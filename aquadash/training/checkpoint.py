"""Checkpoints: a run's state after an epoch; training from it equals bit by bit a training without a break."""

import json
import logging
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aquadash.store import EpochRecord, EpochReplay, Progress, RunStore
from aquadash.store.artifacts import CHECKPOINTS
from aquadash.training.prepare import TrainingData
from aquadash.training.schedules import EarlyStopping

_log = logging.getLogger(__name__)

Weights = list[NDArray[np.generic]]

#: The number of validation images whose probabilities are kept for each epoch: as many as fit on a page.
PROBE_IMAGES = 20


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything that later epochs depend on, besides the config and the epoch's number."""

    weights: Weights
    #: The optimizer's variables (momenta, step count).
    optimizer: Weights
    #: The weights of the best epoch; empty when they are not kept.
    best_weights: Weights
    early_stopping: EarlyStopping
    #: All epochs so far; the last is the checkpoint's own.
    history: tuple[EpochRecord, ...]
    #: The answers after each epoch; None where an older version trained the first epochs.
    replay: EpochReplay | None
    #: The config; a run with another one cannot resume from here.
    config_json: str
    #: The data set's fingerprint; a run on other images cannot resume from here.
    fingerprint: str

    @property
    def epoch(self) -> int:
        """The last complete epoch."""
        return self.history[-1].epoch

    @property
    def curve(self) -> list[float]:
        """The validation accuracy after each epoch, 0 to 1."""
        return [record.val_accuracy for record in self.history]


class Listener(Protocol):
    """Callbacks of a training; either may raise ``Stopped`` to end it at once, and complete epochs are kept."""

    def on_progress(self, progress: Progress) -> None:
        """Called several times a second."""

    def on_epoch(self, checkpoint: Checkpoint) -> None:
        """Called after each complete epoch; its record is the checkpoint's last."""


def save(store: RunStore, run_id: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint into one of two files in turn, so that a crash leaves the other one whole."""
    arrays = {
        **_named("weights", checkpoint.weights),
        **_named("optimizer", checkpoint.optimizer),
        **_named("best_weights", checkpoint.best_weights),
        **(vars(checkpoint.replay) if checkpoint.replay else {}),
    }
    state = json.dumps(
        {
            "early_stopping": asdict(checkpoint.early_stopping),
            "history": [asdict(record) for record in checkpoint.history],
            "config_json": checkpoint.config_json,
            "fingerprint": checkpoint.fingerprint,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"slot-{checkpoint.epoch % 2}.npz"
        np.savez(path, state=np.array(state), **arrays)
        store.add_artifact(run_id, path, f"{CHECKPOINTS}/{path.name}")


def latest(store: RunStore, run_id: str) -> Checkpoint | None:
    """Return the newest undamaged checkpoint of a run; None when there is none."""
    checkpoints = []
    for name in store.artifact_names(run_id, folder=CHECKPOINTS):
        path = store.artifact(run_id, f"{CHECKPOINTS}/{name}")
        if path is None:
            continue
        try:
            checkpoints.append(_load(path))
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            _log.warning("skipped the damaged checkpoint %s (%s)", name, error)
    return max(checkpoints, key=lambda checkpoint: checkpoint.epoch, default=None)


def _load(path: Path) -> Checkpoint:
    with np.load(path, allow_pickle=False) as arrays:
        state = json.loads(str(arrays["state"]))
        return Checkpoint(
            weights=_listed("weights", arrays),
            optimizer=_listed("optimizer", arrays),
            best_weights=_listed("best_weights", arrays),
            early_stopping=EarlyStopping(**state["early_stopping"]),
            history=tuple(EpochRecord(**record) for record in state["history"]),
            replay=EpochReplay.from_arrays(arrays) if "confusion_matrices" in arrays.files else None,
            config_json=state["config_json"],
            fingerprint=state["fingerprint"],
        )


def _named(prefix: str, arrays: Sequence[NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    return {f"{prefix}-{index}": array for index, array in enumerate(arrays)}


def _listed(prefix: str, arrays: np.lib.npyio.NpzFile) -> Weights:
    count = sum(name.rpartition("-")[0] == prefix for name in arrays.files)
    return [arrays[f"{prefix}-{index}"] for index in range(count)]


def probe_positions(labels: NDArray[np.int64], *, count: int = PROBE_IMAGES) -> NDArray[np.int64]:
    """Choose validation images, about as many of each class; the same labels give the same positions."""
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    counts = [0] * len(classes)
    for _ in range(min(count, len(labels))):
        # The first class with the fewest chosen images that has one left.
        _, chosen = min((count, i) for i, count in enumerate(counts) if count < len(classes[i]))
        counts[chosen] += 1
    even = [
        positions[np.linspace(0, len(positions), count, endpoint=False).astype(np.int64)]
        for positions, count in zip(classes, counts, strict=True)
    ]
    return np.concatenate(even).astype(np.int64) if even else np.zeros(0, np.int64)


def with_epoch(
    before: EpochReplay | None, epoch: int, data: TrainingData, probabilities: NDArray[np.float32]
) -> EpochReplay | None:
    """Add an epoch to the replay; None where the replay lacks an earlier epoch."""
    if epoch != (before.epochs if before else 0) + 1:
        return None
    classes = probabilities.shape[1]
    labels = data.validation_labels
    cells = classes * labels.astype(np.int64) + probabilities.argmax(axis=1)
    matrix = np.bincount(cells, minlength=classes * classes).reshape(1, classes, classes).astype(np.int32)
    chosen = probe_positions(labels)
    answers = probabilities[np.newaxis, chosen].astype(np.float32)
    if before is None:
        return EpochReplay(data.validation_indices[chosen], labels[chosen].astype(np.int64), answers, matrix)
    return EpochReplay(
        before.probe_indices,
        before.probe_labels,
        np.concatenate([before.probe_probabilities, answers]),
        np.concatenate([before.confusion_matrices, matrix]),
    )
