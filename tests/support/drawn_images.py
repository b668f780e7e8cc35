"""Small data sets in place of the embedded drawings, and images through a pipeline as a run draws them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from aquadash.augment import AugmentationPlan, Branch, PipelineSpec, draw
from aquadash.augment.spec import as_pipeline
from aquadash.data import ProgressCallback, sources, synthetic
from aquadash.data.dataset import Dataset, Split


def few_drawings(*, train_per_class: int, test_per_class: int) -> Dataset:
    """The first drawings of each class in each split, in their order."""

    def first(split: Split, per_class: int) -> Split:
        positions = [np.flatnonzero(split.labels == label)[:per_class] for label in range(len(synthetic.CLASS_NAMES))]
        return split.take(np.sort(np.concatenate(positions)))

    drawn = synthetic.load()
    return replace(drawn, train=first(drawn.train, train_per_class), test=first(drawn.test, test_per_class))


def use_images(patch: pytest.MonkeyPatch, images: Dataset | BaseException) -> None:
    """Let the source of the drawings have these images, or raise this error."""

    def load(*, progress: ProgressCallback | None) -> Dataset:
        if isinstance(images, BaseException):
            raise images
        return images

    key = None if isinstance(images, BaseException) else images.fingerprint
    source = replace(sources.BUILT_IN["synthetic"], load=load, key=lambda: key)
    patch.setitem(sources.BUILT_IN, "synthetic", source)


def augmented(images: NDArray[np.uint8], spec: PipelineSpec | Branch, *, seed: int) -> NDArray[np.uint8]:
    """One version of each image from each branch, those of a branch together."""
    return draw(images, AugmentationPlan((as_pipeline(spec),)), seed=seed)
