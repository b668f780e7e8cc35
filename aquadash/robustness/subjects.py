"""The images that label safety is measured with, and how arrays of pictures become JSON."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator

from aquadash.errors import AquaDashError, ConfigError

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.runs.types import Predictions, Run

MOST_IMAGES = 200


def _array_text(array: NDArray[Any]) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _array(text: str) -> NDArray[Any]:
    found: NDArray[Any] = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return found


_AS_TEXT = (PlainValidator(_array), PlainSerializer(_array_text))
Pixels = Annotated[NDArray[np.uint8], *_AS_TEXT]
Labels = Annotated[NDArray[np.int64], *_AS_TEXT]


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images to measure with.

    Attributes:
        images: uint8, shape (n, height, width, 3).
        labels: int64, shape (n,).
        positions: In their split; empty for images of no split.
        split: ``"validation"``, ``"train"`` or empty.
    """

    images: Pixels
    labels: Labels
    positions: tuple[int, ...] = ()
    split: str = ""


def validation_images(
    run: Run, predictions: Predictions | None, dataset: Dataset, *, per_class: int, seed: int = 0
) -> Subjects:
    """Some of a run's validation images: it did not learn from them, and they are not those of the last measurement.

    Args:
        run: The run.
        predictions: What it keeps of its validation images; only the positions and labels are used.
        dataset: What it learned from.
        per_class: At most so many of each class.
        seed: Decides which.

    Raises:
        AquaDashError: The run kept none, or learned from other data.
    """
    if dataset.fingerprint != run.dataset_fingerprint:
        raise AquaDashError(
            f"{run.name} learned from other images than those of {dataset.title} as it is now, so its validation "
            "images cannot be found there. Choose a run on this data set."
        )
    # The report's own way takes its validation images from the test split; its last measurement has others.
    split = dataset.test if run.config.training.validation == "test" else dataset.train
    if predictions is None or not len(predictions.indices):
        raise AquaDashError(
            f"{run.name} kept no validation images, as runs of older versions did not. Choose another run, or measure "
            "with the preview images."
        )
    if predictions.indices.max() >= len(split):
        raise AquaDashError(f"{run.name} names validation images that {dataset.title} does not have. Train it again.")
    if not 1 <= per_class <= MOST_IMAGES:
        raise ConfigError(f"{per_class} images a class are asked for; expected 1 to {MOST_IMAGES}.")
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in np.unique(predictions.labels):
        mine = np.flatnonzero(predictions.labels == label)
        chosen += sorted(random.permutation(mine)[:per_class].tolist())
    # With very many classes each gets its turn until there are enough.
    chosen = chosen[:: -(-len(chosen) // MOST_IMAGES)]
    positions, labels = predictions.indices[chosen], predictions.labels[chosen]
    return Subjects(split.images[positions], labels.astype(np.int64), tuple(positions.tolist()), "validation")
