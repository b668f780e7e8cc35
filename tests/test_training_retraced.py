"""The same bits whenever TensorFlow lays out anew what it runs."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.training.trainer import Trainer


class _Nobody:
    def on_progress(self, progress: object) -> None: ...
    def on_epoch(self, checkpoint: object) -> None: ...


def epochs_of(dataset: Dataset, times: int) -> Counter[bytes]:
    """What so many first epochs of the report's network end with, each traced anew."""
    tf.config.experimental.enable_op_determinism()
    config = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 1})
    found: Counter[bytes] = Counter()
    for _ in range(times):
        trainer = Trainer(config, dataset, _Nobody(), lambda *_: None, time.time)
        state = trainer.train_one_epoch(None)
        trainer.close()
        record = state.history[-1]
        found[b"".join(map(np.ndarray.tobytes, state.weights)) + repr((record.loss, record.val_loss)).encode()] += 1
    return found


def test_graphs_run_as_they_are_written(tiny_dataset: Dataset) -> None:
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    assert len(epochs_of(tiny_dataset, 2)) == 1
    assert tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_hundreds_of_tracings_give_the_same_bits(tiny_dataset: Dataset) -> None:
    """With Grappler 4 of 992 gave others."""
    assert list(epochs_of(tiny_dataset, 400).values()) == [400]
