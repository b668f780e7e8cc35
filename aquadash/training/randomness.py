"""Seeds from a run's seed and the epoch, so that an epoch can be repeated or skipped exactly."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from aquadash.models.lazy import keras
from aquadash.models.summary import layers_within


class Purpose(IntEnum):
    """Purposes of random numbers; each has a stream of its own."""

    WEIGHTS = 0
    SPLIT = 1
    AUGMENTATION = 2
    ORDER = 3
    DROPOUT = 4
    MIXING = 5
    LABEL_NOISE = 6


def derived_seed(seed: int, purpose: Purpose, *position: int) -> int:
    """Return a 32-bit seed for one purpose at one position (an epoch, a layer), independent of all others."""
    return int(np.random.SeedSequence([seed, int(purpose), *position]).generate_state(1)[0])


def epoch_order(seed: int, epoch: int, count: int, *, keep: int | None = None) -> NDArray[np.int32]:
    """Return the order in which an epoch visits ``count`` images, or the first ``keep`` of it."""
    return np.random.default_rng([seed, int(Purpose.ORDER), epoch]).permutation(count).astype(np.int32)[:keep]


def set_layer_seeds(model: keras.Model, *, seed: int, epoch: int) -> None:
    """Set the random state of each layer that has one, such as dropout, for an epoch."""
    # Keras advances these states with every batch and does not save them: a resumed run would draw other numbers.
    seeded = (layer for layer in layers_within(model) if getattr(layer, "seed_generator", None) is not None)
    for index, layer in enumerate(seeded):
        state = np.random.SeedSequence([seed, int(Purpose.DROPOUT), epoch, index]).generate_state(2)
        layer.seed_generator.state.assign(state.astype(np.uint32))
