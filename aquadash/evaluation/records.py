"""The records of a run that are evaluated: its epochs, its predictions, and the guess made before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from aquadash.errors import RunError

#: Whole numbers of images, epochs or batches that a calculation can use.
Count = Annotated[int, Field(ge=0, le=2**31)]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's metrics: a row of ``history.csv``."""

    #: The number of the epoch, from 1.
    epoch: Count
    #: Mean loss over the training images during the epoch, with dropout.
    loss: float
    #: Training accuracy during the epoch, 0 to 1.
    accuracy: float
    #: Mean loss over the validation images after the epoch.
    val_loss: float
    #: Validation accuracy after the epoch, 0 to 1.
    val_accuracy: float
    learning_rate: float
    #: Wall time of the epoch, validation included.
    seconds: float


@dataclass(frozen=True)
class Guess:
    """A person's guess of a run's results, one part at least; an impossible guess raises a ``RunError``."""

    #: The test accuracy, 0 to 1; None for no guess.
    accuracy: float | None = None
    #: The most frequent mistake as (true class, predicted class); None for no guess.
    confused_pair: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.accuracy is None and self.confused_pair is None:
            raise RunError("The guess is empty. Guess the test accuracy, the most frequent mistake, or both.")
        if self.accuracy is not None and not 0.0 <= self.accuracy <= 1.0:
            raise RunError(f"The guessed accuracy is {100 * self.accuracy:g} %; expected 0 to 100 %.")
        if self.confused_pair is not None:
            true, predicted = self.confused_pair
            if not true or not predicted or true == predicted:
                raise RunError(
                    f"The guessed mistake is {true[:40]!r} taken for {predicted[:40]!r}; expected two different ones."
                )


def _are_probabilities(values: NDArray[Any]) -> bool:
    """Return whether the last axis holds probabilities, within the rounding of half precision."""
    sums = values.sum(axis=-1, dtype=np.float64)
    return values.dtype.kind == "f" and bool((values >= 0).all() and (abs(sums - 1) < 0.01).all())


def _are_labels(values: NDArray[Any], num_classes: int) -> bool:
    return values.dtype.kind == "i" and bool(((values >= 0) & (values < num_classes)).all())


@dataclass(frozen=True, eq=False)
class Predictions:
    """A model's predictions of a split's images: the arrays of ``predictions.npz``."""

    #: int64, shape (n,), positions in the split.
    indices: NDArray[np.int64]
    #: int64, shape (n,), true labels.
    labels: NDArray[np.int64]
    #: float32, shape (n, classes), rows sum to 1.
    probabilities: NDArray[np.float32]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], *, num_classes: int | None = None) -> Predictions:
        """Check and read a file's arrays; raises ``KeyError`` or ``ValueError`` for missing or damaged arrays."""
        indices, labels, probabilities = (arrays[name] for name in ("indices", "labels", "probabilities"))
        if not (
            indices.shape == labels.shape == (len(labels),)
            and probabilities.ndim == 2
            and len(probabilities) == len(labels)
            and num_classes in (None, probabilities.shape[1])
            and indices.dtype.kind == "i"
        ):
            raise ValueError("its arrays do not belong together, or not to the classes of the run")
        if not (
            _are_probabilities(probabilities)
            and _are_labels(labels, probabilities.shape[1])
            and np.array_equal(np.unique(indices), np.sort(indices))
            and indices.min(initial=0) >= 0
        ):
            raise ValueError("it has invalid probabilities, labels or positions")
        return cls(indices, labels, probabilities)


@dataclass(frozen=True, eq=False)
class EpochReplay:
    """The predictions after each epoch: the arrays of ``epochs.npz``."""

    #: int64, shape (p,), positions of some validation images in their split.
    probe_indices: NDArray[np.int64]
    #: int64, shape (p,), their true labels.
    probe_labels: NDArray[np.int64]
    #: float32, shape (epochs, p, classes), rows sum to 1.
    probe_probabilities: NDArray[np.float32]
    #: int32, shape (epochs, classes, classes), validation images by true and predicted class.
    confusion_matrices: NDArray[np.int32]

    @property
    def epochs(self) -> int:
        """The number of epochs."""
        return len(self.confusion_matrices)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], *, num_classes: int | None = None) -> EpochReplay:
        """Check and read a file's arrays; raises ``KeyError`` or ``ValueError`` for missing or damaged arrays."""
        read = cls(**{field.name: arrays[field.name] for field in fields(cls)})
        probes, matrices = read.probe_probabilities, read.confusion_matrices
        if (
            probes.ndim != 3
            or matrices.shape != (len(probes), probes.shape[2], probes.shape[2])
            or (probes.shape[1],) != read.probe_labels.shape
            or (probes.shape[1],) != read.probe_indices.shape
            or num_classes not in (None, probes.shape[2])
            or not (_are_probabilities(probes) and _are_labels(read.probe_labels, probes.shape[2]))
            or matrices.dtype.kind != "i"
            or not (matrices.sum(axis=(1, 2)) > 0).all()
            or min(matrices.min(initial=0), read.probe_indices.min(initial=0)) < 0
        ):
            raise ValueError("the arrays of the epochs do not belong together")
        return read
