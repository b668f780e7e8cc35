"""Networks of a few numbers, whose answers can be worked out, and trainings inside a test."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aquadash import models
from aquadash.config import ModelConfig, RunConfig, parse_assignments, with_values
from aquadash.data import Dataset
from aquadash.store import Progress, Run, RunStore, Stopped
from aquadash.store.artifacts import CONFIG
from aquadash.training.checkpoint import Checkpoint

#: A convolution that may leave the colours as they are; what is left of them goes to the classes.
MEAN_COLOUR = ModelConfig(
    name="cnn", filters=(3,), kernel_size=1, strides=1, pooling="none", summary="average", dense_units=()
)
COARSE_COLOURS = ModelConfig(
    name="cnn", filters=(3,), kernel_size=1, strides=1, pooling="average", pool_size=8, pool_strides=8, dense_units=()
)


def assigned(text: str, *, base: RunConfig | None = None) -> RunConfig:
    """Return the default settings, or others, with these changed: ``name=value``, separated by spaces."""
    return with_values(base or RunConfig(), parse_assignments(text.split()))


#: A training of less than a second.
QUICK = assigned(
    "augmentation.pipeline=none model.name=cnn model.filters=4 model.dense_units=8 training.epochs=2 "
    "training.validation_fraction=0.2 seed=1"
)


def colour_network(config: ModelConfig, kernel: ArrayLike, *, side: int) -> Any:
    """Build one of the two settings above; ``kernel`` has a weight for each colour of each place and each class."""
    kernel = np.asarray(kernel, np.float32)
    classes = kernel.shape[1]
    model = models.build(config, image_shape=(side, side, 3), num_classes=classes)
    model.set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3), kernel, np.zeros(classes)])
    return model


def give_network(store: RunStore, run_id: str, config: ModelConfig, path: Path) -> Run:
    """Give a made-up run a network, and the settings that make it."""
    changed = store.get(run_id).config.model_copy(update={"model": config})
    store.update(run_id, config=changed.model_dump(mode="json"))
    store.add_text_artifact(run_id, CONFIG, changed.to_json())
    store.add_artifact(run_id, path)
    return store.get(run_id)


class Listener:
    """Keeps what it hears; asks to stop in the middle of an epoch if told to."""

    def __init__(self, stop_in_epoch: int | None = None) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.progress: list[Progress] = []
        self._stop_in_epoch = stop_in_epoch

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)
        if progress.epoch == self._stop_in_epoch:
            raise Stopped

    def on_epoch(self, state: Checkpoint) -> None:
        self.checkpoints.append(state)


def fit(config: RunConfig, dataset: Dataset, listener: Listener | None = None, **options: Any) -> Any:
    from aquadash.training import fit as module

    return module.fit(config, dataset, listener=listener or Listener(), **options)
