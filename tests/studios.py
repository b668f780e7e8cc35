"""Small studios for the tests of the Augment page's views."""

from __future__ import annotations

import numpy as np

from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.data import Dataset, Split
from aquadash.ui.augment.studio import Studio


def small_dataset(count: int = 30, side: int = 32) -> Dataset:
    """Images of random pixels between 60 and 196 in three classes; test images are the same."""
    random = np.random.default_rng(0)
    images = random.integers(60, 197, (count, side, side, 3), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.int64)
    split = Split(images, labels, tuple(f"{number}.png" for number in range(count)))
    return Dataset("small", "Small", "Made by a test.", True, ("otter", "seal", "whale"), split, split)


def studio(
    pipeline: str | PipelineSpec = "notebook", *, branch: int = 0, seed: int = 0, images: int = 3, own: bool = False
) -> Studio:
    """A studio with the first training images, or with the same as a person's own pictures."""
    dataset = small_dataset()
    spec = PIPELINES[pipeline] if isinstance(pipeline, str) else pipeline
    positions = list(range(images))
    if own:
        names = tuple(f"<b>{number}</b>.jpg" for number in positions)
        return Studio(dataset, spec, branch, seed, [], dataset.train.images[positions], names)
    labels = tuple(dataset.class_names[label] for label in dataset.train.labels[positions])
    return Studio(dataset, spec, branch, seed, positions, dataset.train.images[positions], labels)
