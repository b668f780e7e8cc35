"""Long trainings: as much memory at the end as at the beginning, and the same bits each time."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.training.trainer import Trainer
from tests.conftest import ROOT
from tests.support.fit_listeners import Listener

EPOCHS = 100

#: In a process of its own, since the memory of this one belongs to other tests, too.
SCRIPT = """
import json, sys
import psutil
from aquadash.config import from_json
from aquadash.training.fit import fit
from tests.support.drawn_images import few_drawings

class Sizes(list):
    def on_progress(self, progress):
        pass
    def on_epoch(self, checkpoint):
        self.append(psutil.Process().memory_info().rss)

sizes = Sizes()
fit(from_json(sys.argv[1]), few_drawings(train_per_class=100, test_per_class=20), listener=sizes)
print(json.dumps(sizes))
"""


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "changes",
    [
        {"augmentation.pipeline": "none"},
        {"augmentation.pipeline": "mirror-shift", "augmentation.mode": "fresh", "augmentation.mixing": "mixup"},
    ],
    ids=["once", "anew each epoch"],
)
def test_a_hundred_epochs_need_no_more_memory_than_ten(changes: dict[str, object], home: object) -> None:
    config = with_values(RunConfig(), {"training.epochs": EPOCHS, "training.patience": 0, **changes})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, config.to_json()], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    sizes = json.loads(done.stdout.splitlines()[-1])
    assert len(sizes) == EPOCHS
    assert max(sizes[-10:]) <= 1.05 * max(sizes[:10]), [size // 2**20 for size in sizes[::10]]


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_hundreds_of_tracings_give_the_same_bits(tiny_dataset: Dataset) -> None:
    """Of first epochs of the report's network, one in 330 was another while its step stood inside the loop's graph."""
    tf.config.experimental.enable_op_determinism()
    config = with_values(RunConfig(), {"augmentation.pipeline": "none", "training.patience": 0, "seed": 1})
    found: Counter[bytes] = Counter()
    for _ in range(400):
        trainer = Trainer(config, tiny_dataset, Listener(), lambda *_: None)
        state = trainer.train_one_epoch(None)
        trainer.close()
        record = state.history[-1]
        found[b"".join(map(np.ndarray.tobytes, state.weights)) + repr((record.loss, record.val_loss)).encode()] += 1
    assert list(found.values()) == [400]
