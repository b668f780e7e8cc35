"""A long training takes no more memory at its end than at its beginning."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from aquadash.config import RunConfig, with_values
from tests.conftest import ROOT

EPOCHS = 100

#: In a process of its own, since the memory of this one belongs to other tests, too.
SCRIPT = """
import dataclasses, json, sys
import psutil
from aquadash import data
from aquadash.config import from_json
from aquadash.training.fit import fit

class Listener:
    sizes = []
    def on_progress(self, progress):
        pass
    def on_epoch(self, checkpoint):
        self.sizes.append(psutil.Process().memory_info().rss)

def some(split):
    return data.Split(split.images[::5], split.labels[::5], split.file_names[::5])

whole = data.load("synthetic")
fewer = dataclasses.replace(whole, train=some(whole.train), test=some(whole.test))
fit(from_json(sys.argv[1]), fewer, listener=Listener())
print(json.dumps(Listener.sizes))
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
