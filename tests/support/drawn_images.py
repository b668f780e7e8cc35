"""A small data set of the embedded drawings, for tests that train."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aquadash.data import synthetic
from aquadash.data.dataset import Dataset, Split


def few_drawings(*, train_per_class: int, test_per_class: int) -> Dataset:
    """The first drawings of each class in each split, in their order."""

    def first(split: Split, per_class: int) -> Split:
        positions = [np.flatnonzero(split.labels == label)[:per_class] for label in range(len(synthetic.CLASS_NAMES))]
        return split.take(np.sort(np.concatenate(positions)))

    drawn = synthetic.load()
    return replace(drawn, train=first(drawn.train, train_per_class), test=first(drawn.test, test_per_class))
