"""Images are drawn ahead in a process of their own: the same bytes as here, and nothing stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from aquadash.augment import PIPELINES, AugmentationPlan, Branch, PipelineSpec, draw, op
from aquadash.data.progress import ProgressCallback
from aquadash.errors import AquaDashError
from aquadash.training.drawing import DrawingProcess
from tests.waiting import gone, wait_for

ROOT = Path(__file__).resolve().parent.parent
REPORT = AugmentationPlan((PIPELINES["notebook"],))
MIXTURE = AugmentationPlan(
    (PIPELINES["notebook-1"], PIPELINES["mirror-shift"]), (0.75, 0.25), copies=2, keep_originals=True
)


def seed_of(epoch: int) -> int:
    return 100 + epoch


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)


def drawing(
    images: NDArray[np.uint8], plan: AugmentationPlan, progress: ProgressCallback = lambda text, share: None
) -> contextlib.closing[DrawingProcess]:
    return contextlib.closing(DrawingProcess(images, plan, seed_of=seed_of, last_epoch=5, progress=progress))


def test_a_resumed_run_begins_with_any_epoch_and_has_its_images_until_the_next(images: NDArray[np.uint8]) -> None:
    with drawing(images, MIXTURE) as process:
        for epoch in (4, 2, 2, 5):
            drawn = process.epoch(epoch)
            np.testing.assert_array_equal(drawn, draw(images, MIXTURE, seed=seed_of(epoch)))
            assert not drawn.flags.writeable
        drawn = process.epoch(1)
        process.ready()  # By now the next epoch's are there, too.
        np.testing.assert_array_equal(drawn, draw(images, MIXTURE, seed=seed_of(1)))
        np.testing.assert_array_equal(process.epoch(2), draw(images, MIXTURE, seed=seed_of(2)))


def test_a_failed_drawing_and_a_killed_process_are_told_in_words(images: NDArray[np.uint8]) -> None:
    # Only a plan made here can be so wrong; settings are checked before.
    wrong = PipelineSpec("wrong", "Wrong", "", (Branch("Turned too far", (op("Fliplr", p=7.0),)),))
    with drawing(images, AugmentationPlan((wrong,))) as process:
        with pytest.raises(AquaDashError, match="Fliplr"):
            process.epoch(1)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(AquaDashError, match=r"was killed \(signal 9\).*augmentation.mode=copies"):
            process.epoch(3)


def test_waiting_can_be_broken_off_and_nothing_stays_behind(images: NDArray[np.uint8]) -> None:
    class Stop(Exception):
        pass

    def stop(text: str, share: float | None) -> None:
        raise Stop

    with drawing(images, REPORT, stop) as process, pytest.raises(Stop):
        process.epoch(1)
    wait_for(lambda: gone(process.pid))


_PARENT = """
import sys, time
import numpy as np
from aquadash.augment import PIPELINES, AugmentationPlan
from aquadash.training.drawing import DrawingProcess
images = np.zeros((200, 32, 32, 3), np.uint8)
plan = AugmentationPlan((PIPELINES["notebook"],), copies=5)
process = DrawingProcess(images, plan, seed_of=int, last_epoch=99, progress=lambda *_: None)
process.epoch(1)
print(process.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_when_the_training_is_killed_and_does_not_run_its_script_again(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_PARENT)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    ) as parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()  # While the second epoch is being drawn.
        parent.wait()
        wait_for(lambda: gone(pid))
