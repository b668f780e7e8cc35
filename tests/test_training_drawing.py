"""Images are drawn ahead in a process of their own: the same bytes as here, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from aquadash.augment import PIPELINES, AugmentationPlan, Branch, PipelineSpec, draw, op
from aquadash.errors import AquaDashError
from aquadash.training.drawing import DrawingProcess, SharedImages
from tests.waiting import gone, wait_for

ROOT = Path(__file__).resolve().parent.parent
REPORT = AugmentationPlan((PIPELINES["notebook"],))
MIXTURE = AugmentationPlan(
    (PIPELINES["notebook-1"], PIPELINES["mirror-shift"]), (0.75, 0.25), copies=2, keep_originals=True
)


def seed_of(epoch: int) -> int:
    return 100 + epoch


def silent(text: str, share: float | None) -> None:
    pass


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def started(images: NDArray[np.uint8]) -> Iterator[DrawingProcess]:
    process = DrawingProcess(images, MIXTURE, seed_of=seed_of, last_epoch=5, progress=silent)
    yield process
    process.close()


def test_the_bytes_are_those_drawn_in_this_process_which_ends_with_its_closing(images: NDArray[np.uint8]) -> None:
    process = DrawingProcess(images, REPORT, seed_of=seed_of, last_epoch=3, progress=silent)
    try:
        for epoch in (1, 2, 3):
            drawn = process.epoch(epoch)
            np.testing.assert_array_equal(drawn, draw(images, REPORT, seed=seed_of(epoch)))
            assert not drawn.flags.writeable
    finally:
        process.close()
    wait_for(lambda: gone(process.pid))


def test_a_resumed_run_begins_with_any_epoch_and_has_its_images_until_the_next(
    started: DrawingProcess, images: NDArray[np.uint8]
) -> None:
    for epoch in (4, 2, 2, 5):
        np.testing.assert_array_equal(started.epoch(epoch), draw(images, MIXTURE, seed=seed_of(epoch)))
    drawn = started.epoch(1)
    started.ready()  # By now the next epoch's are there, too.
    np.testing.assert_array_equal(drawn, draw(images, MIXTURE, seed=seed_of(1)))
    np.testing.assert_array_equal(started.epoch(2), draw(images, MIXTURE, seed=seed_of(2)))


def test_the_memory_is_that_of_the_originals_and_two_epochs() -> None:
    assert SharedImages.size((2500, 32, 32, 3), 5) == 16 + 2500 * 3072 * 11


def test_what_cannot_be_drawn_is_told_in_plain_words(images: NDArray[np.uint8]) -> None:
    # Only a plan made here can be so wrong; settings are checked before.
    wrong = PipelineSpec("wrong", "Wrong", "", (Branch("Turned too far", (op("Fliplr", p=7.0),)),))
    process = DrawingProcess(images, AugmentationPlan((wrong,)), seed_of=seed_of, last_epoch=1, progress=silent)
    try:
        with pytest.raises(AquaDashError):
            process.epoch(1)
    finally:
        process.close()


def test_a_process_that_was_killed_is_no_riddle(started: DrawingProcess) -> None:
    started.epoch(1)
    os.kill(started.pid, signal.SIGKILL)
    with pytest.raises(AquaDashError, match=r"was killed \(signal 9\).*augmentation.mode=copies"):
        started.epoch(3)


def test_waiting_can_be_broken_off(images: NDArray[np.uint8]) -> None:
    class Stop(Exception):
        pass

    def stop(text: str, share: float | None) -> None:
        raise Stop

    many = np.concatenate([images] * 200)
    process = DrawingProcess(many, REPORT, seed_of=seed_of, last_epoch=9, progress=stop)
    try:
        with pytest.raises(Stop):
            process.epoch(1)
    finally:
        process.close()
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


def test_once_the_training_waits_drawing_has_its_priority(images: NDArray[np.uint8]) -> None:
    """A program that wants all processors would get fifty times as much of them as drawing does while it is ahead."""
    many = np.concatenate([images] * 30)
    process = DrawingProcess(many, REPORT, seed_of=seed_of, last_epoch=9, progress=silent)
    try:
        drawing = psutil.Process(process.pid)

        def used() -> dict[int, float]:
            """Seconds of processor by niceness."""
            by_niceness: dict[int, float] = {}
            for thread in drawing.threads():
                fields = Path(f"/proc/{thread.id}/task/{thread.id}/stat").read_text().rpartition(")")[2].split()
                by_niceness[int(fields[16])] = by_niceness.get(int(fields[16]), 0.0) + thread.user_time
            return by_niceness

        process.epoch(1)
        ahead = used()
        wait_for(lambda: used().get(19, 0.0) > ahead.get(19, 0.0) + 0.1)
        before = used()
        np.testing.assert_array_equal(process.epoch(2), draw(many, REPORT, seed=seed_of(2)))
        after = used()
        assert after[os.nice(0)] > before[os.nice(0)] + 0.1
    finally:
        process.close()
