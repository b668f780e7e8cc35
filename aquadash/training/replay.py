"""What an epoch leaves behind for looking back: the answers to a few images, and what was taken for what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash.runs import EpochReplay
from aquadash.training.prepare import TrainingData

#: How many validation images are followed through the epochs: as many as fit on a page.
PROBE_IMAGES = 20


def probe_positions(labels: NDArray[np.int64], *, count: int = PROBE_IMAGES) -> NDArray[np.int64]:
    """Which validation images are followed: the same for the same labels, every class alike as far as that is possible.

    Args:
        labels: Integers from 0, shape (n,).
        count: How many to choose at most.

    Returns:
        int64, shape (min(count, n),), sorted by class: of each class the images at even distances.
    """
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    shares = [0] * len(classes)
    for _ in range(min(count, len(labels))):
        # The class with the fewest so far that has one left, the first of several.
        _, chosen = min((share, i) for i, share in enumerate(shares) if share < len(classes[i]))
        shares[chosen] += 1
    even = [
        positions[np.linspace(0, len(positions), share, endpoint=False).astype(np.int64)]
        for positions, share in zip(classes, shares, strict=True)
    ]
    return np.concatenate(even).astype(np.int64) if even else np.zeros(0, np.int64)


def with_epoch(
    before: EpochReplay | None, epoch: int, data: TrainingData, probabilities: NDArray[np.float32]
) -> EpochReplay | None:
    """The replay with one more epoch.

    Args:
        before: The replay of the earlier epochs; None before the first.
        epoch: From 1.
        data: The run's images.
        probabilities: What the model says of the validation images after the epoch, (n, classes).

    Returns:
        None where earlier epochs are missing, as in a run that an older version began.
    """
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
