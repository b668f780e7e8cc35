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
from tests.fit_listeners import Silent


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_hundreds_of_tracings_give_the_same_bits(tiny_dataset: Dataset) -> None:
    """Of first epochs of the report's network, one in 330 was another while its step stood inside the loop's graph."""
    tf.config.experimental.enable_op_determinism()
    config = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 1})
    found: Counter[bytes] = Counter()
    for _ in range(400):
        trainer = Trainer(config, tiny_dataset, Silent(), lambda *_: None, time.time)
        state = trainer.train_one_epoch(None)
        trainer.close()
        record = state.history[-1]
        found[b"".join(map(np.ndarray.tobytes, state.weights)) + repr((record.loss, record.val_loss)).encode()] += 1
    assert list(found.values()) == [400]
