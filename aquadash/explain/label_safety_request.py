"""What a label-safety measurement is asked: images, a branch, and perhaps a parameter to try out."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator

from aquadash.augment import Branch, PipelineSpec
from aquadash.augment.pipelines import from_json
from aquadash.errors import AquaDashError, ConfigError
from aquadash.explain.label_safety_steps import StepPath, find_step, grid

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.runs.types import Predictions, Run

MOST_COPIES = 500
MOST_IMAGES = 200
MOST_VALUES = 51


def _array_text(array: NDArray[Any]) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _array(text: str) -> NDArray[Any]:
    found: NDArray[Any] = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return found


def _branch_text(branch: Branch) -> str:
    return PipelineSpec("branch", "Branch", "", (branch,)).to_json()


#: How arrays and branches are written where a request or a result becomes JSON.
_AS_TEXT = (PlainValidator(_array), PlainSerializer(_array_text))
Pixels = Annotated[NDArray[np.uint8], *_AS_TEXT]
Labels = Annotated[NDArray[np.int64], *_AS_TEXT]
JsonBranch = Annotated[Branch, PlainValidator(lambda text: from_json(text).branches[0]), PlainSerializer(_branch_text)]


class ImagePredictor(Protocol):
    """What measuring needs of :class:`aquadash.predict.Predictor`."""

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    def predict_images(self, images: NDArray[np.uint8], *, batch_size: int = 256) -> NDArray[np.float32]: ...


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


@dataclass(frozen=True)
class SweepRequest:
    """Which parameter is to be fixed to a row of values.

    Attributes:
        path: The step.
        parameter: Its parameter's name, or ``"probability"``.
        low: The least value.
        high: The greatest value.
        values: How many values; of whole numbers there may be fewer.
    """

    path: StepPath
    parameter: str
    low: float
    high: float
    values: int = 11


@dataclass(frozen=True)
class SafetyRequest:
    """What is to be measured.

    Attributes:
        branch: The way to change images.
        copies: Augmented copies of each image.
        seed: 0 or greater; all random choices follow from it.
        threshold: Too much is lost below this share, of the accuracy on the unchanged images or of all copies.
        absolute: True if the threshold is a share of all copies.
        sweep: A parameter to be tried out; None for none.
        by_step: Whether each step is looked at. Without it only the whole and the sweep are measured.
    """

    branch: JsonBranch
    copies: int = 50
    seed: int = 0
    threshold: float = 0.8
    absolute: bool = False
    sweep: SweepRequest | None = None
    by_step: bool = True

    def check(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            ConfigError: A number is out of range.
            UnknownNameError: The sweep's step or parameter is not there.
        """
        if not 1 <= self.copies <= MOST_COPIES:
            raise ConfigError(f"{self.copies} copies of each image are asked for; expected 1 to {MOST_COPIES}.")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"The seed is {self.seed}; expected a whole number from 0 to {2**32 - 1}.")
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(
                f"The threshold is {self.threshold:g}; expected a share above 0 and up to 1, such as 0.8."
            )
        if self.sweep is not None:
            if not 2 <= self.sweep.values <= MOST_VALUES:
                raise ConfigError(f"{self.sweep.values} values are asked for; expected 2 to {MOST_VALUES}.")
            parameter = find_step(self.branch, self.sweep.path).parameter(self.sweep.parameter)
            grid(parameter, low=self.sweep.low, high=self.sweep.high, count=self.sweep.values)


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
            "with the images in view."
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
