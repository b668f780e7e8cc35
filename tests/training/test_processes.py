"""A crash, an overrun or a lack of memory costs one answer; the next one is right."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from aquadash.augment import PIPELINES, AugmentationPlan, Branch, PipelineSpec, draw, op
from aquadash.data.progress import ProgressCallback
from aquadash.errors import AquaDashError, ConfigError
from aquadash.training import answer_process
from aquadash.training.answer_process import AnswerError, AnswerProcess, report_progress
from aquadash.training.drawing import DrawingProcess
from aquadash.work.standby import CAN_FORK
from tests.support.waiting import gone, wait_for

_remembered: list[int] = []


def nothing() -> None:
    """There is nothing slow to import."""


def remember(number: int) -> tuple[int, list[int]]:
    _remembered.append(number)
    return os.getpid(), list(_remembered)


def tell_for_ever() -> None:
    while True:
        report_progress(0.25)


def take(number_of_bytes: int) -> int:
    return int(np.ones(number_of_bytes, np.uint8).sum())


def fail(error: Exception) -> None:
    raise error


class ResourceExhaustedError(Exception):
    """TensorFlow's, by name."""


@pytest.fixture(scope="module")
def process() -> Iterator[AnswerProcess]:
    """One for all tests: where one of them ends it, the next one has it start again."""
    process = AnswerProcess(nothing, answer_seconds=30, max_bytes=300_000_000)
    yield process
    process.end()


def test_one_process_answers_and_keeps_what_it_has(process: AnswerProcess) -> None:
    first, before = process.ask(remember, 1)
    assert process.ask(remember, 2) == (first, [*before, 2]) and first != os.getpid()
    assert not psutil.Process(first).memory_info().rss > 300_000_000, "it does not run this process's script again"


def test_a_process_that_dies_costs_one_answer_at_most(process: AnswerProcess) -> None:
    first, _ = process.ask(remember, 1)
    with pytest.raises(AnswerError, match="crashed"):
        process.ask(signal.raise_signal, signal.SIGKILL)
    again, remembered = process.ask(remember, 2)
    assert again != first and remembered == [2]
    psutil.Process(again).kill()
    wait_for(lambda: gone(again))
    assert process.ask(remember, 3)[1] == [3], "it died between two questions"


def test_an_overrun_costs_one_answer(process: AnswerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = process.ask(remember, 1)
    with monkeypatch.context() as patch, pytest.raises(AnswerError, match="more than 1 seconds"):
        # For this question alone: the next one starts a process, which takes its time on a busy machine.
        patch.setattr(process, "answer_seconds", 1.0)
        process.ask(time.sleep, 3600)
    wait_for(lambda: gone(first))
    assert process.ask(remember, 2)[1] == [2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's limit is Linux's")
def test_a_lack_of_memory_costs_one_answer(process: AnswerProcess) -> None:
    first, before = process.ask(remember, 1)
    assert process.ask(take, 100_000_000) == 100_000_000
    with pytest.raises(AnswerError, match="needs more memory than AquaDash allows"):
        process.ask(take, 2_000_000_000)
    with pytest.raises(AnswerError, match="needs more memory than AquaDash allows"):
        process.ask(fail, ResourceExhaustedError("OOM when allocating tensor"))
    assert process.ask(remember, 2) == (first, [*before, 2])


def test_errors_for_people_arrive_as_they_are_and_others_as_text(process: AnswerProcess) -> None:
    with pytest.raises(ConfigError, match="^too many units$"):
        process.ask(fail, ConfigError("too many units"))
    with pytest.raises(AnswerError, match=r"could be calculated \(ZeroDivisionError: by nothing\)"):
        process.ask(fail, ZeroDivisionError("by nothing"))


def test_what_the_progress_raises_ends_the_work(process: AnswerProcess) -> None:
    first, before = process.ask(remember, 1)

    def leave(share: float) -> None:
        if share:
            raise KeyboardInterrupt(share)

    with pytest.raises(KeyboardInterrupt, match=r"0\.25"):
        process.ask(tell_for_ever, progress=leave)
    assert process.ask(remember, 2) == (first, [*before, 2]), "nothing that was loaded is lost"


def test_it_ends_when_nobody_asks_and_starts_again() -> None:
    process = AnswerProcess(nothing, idle_seconds=0.1)
    try:
        first, _ = process.ask(remember, 1)
        wait_for(lambda: gone(first))
        assert process.ask(remember, 2)[1] == [2]
    finally:
        process.end()


_LEAVE = """
import os, signal
from aquadash.training.answer_process import AnswerProcess
from tests.training.test_processes import nothing
print(AnswerProcess(nothing).ask(os.getpid), flush=True)
signal.raise_signal(signal.SIGKILL)
"""


def test_it_ends_with_the_app_however_that_ends() -> None:
    app = subprocess.run([sys.executable, "-c", _LEAVE], stdout=subprocess.PIPE, timeout=120)
    assert app.returncode == -signal.SIGKILL
    wait_for(lambda: gone(int(app.stdout)))


def test_many_may_ask_at_once(process: AnswerProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: process.ask(remember, number), range(24)))
    assert len({pid for pid, _ in answers}) == 1
    assert sorted(max((seen for _, seen in answers), key=len)[-24:]) == list(range(24))


def test_it_can_be_started_early(process: AnswerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def children() -> set[int]:
        return {child.pid for child in psutil.Process().children(recursive=True)}

    process.end()
    before = children()
    monkeypatch.setattr(answer_process, "MIN_FREE_MEMORY", 0)
    process.prepare(nothing)
    wait_for(lambda: children() - before)
    started = children()
    first, _ = process.ask(remember, 1)
    assert first in started - before


MIXTURE = AugmentationPlan(
    (PIPELINES["notebook-1"], PIPELINES["mirror-shift"]), (0.75, 0.25), copies=2, keep_originals=True
)
IMAGES = np.random.default_rng(5).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)


def seed_of(epoch: int) -> int:
    return 100 + epoch


def drawing(
    plan: AugmentationPlan, progress: ProgressCallback = lambda text, share: None
) -> contextlib.closing[DrawingProcess]:
    return contextlib.closing(DrawingProcess(IMAGES, plan, seed_of=seed_of, last_epoch=5, progress=progress))


def drawing_pid() -> int:
    """Return the id of the process that has just begun to draw for this one."""
    return max(psutil.Process().children(), key=psutil.Process.create_time).pid


@pytest.mark.parametrize("forks", [CAN_FORK, False])
def test_a_resumed_run_begins_with_any_epoch_and_has_its_images_until_the_next(
    forks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aquadash.training.drawing.CAN_FORK", forks)
    with drawing(MIXTURE) as process:
        for epoch in (4, 2, 2, 5):
            drawn = process.epoch(epoch)
            np.testing.assert_array_equal(drawn, draw(IMAGES, MIXTURE, seed=seed_of(epoch)))
            assert not drawn.flags.writeable
        drawn = process.epoch(1)
        process.ready()  # By now the next epoch's are there, too.
        np.testing.assert_array_equal(drawn, draw(IMAGES, MIXTURE, seed=seed_of(1)))
        np.testing.assert_array_equal(process.epoch(2), draw(IMAGES, MIXTURE, seed=seed_of(2)))


def test_a_failed_drawing_and_a_killed_process_are_told_in_words() -> None:
    # Only a plan made here can be so wrong; settings are checked before.
    wrong = PipelineSpec("wrong", "Wrong", "", (Branch("Turned too far", (op("Fliplr", p=7.0),)),))
    with drawing(AugmentationPlan((wrong,))) as process:
        with pytest.raises(AquaDashError, match="Fliplr"):
            process.epoch(1)
        os.kill(drawing_pid(), signal.SIGKILL)
        with pytest.raises(AquaDashError, match=r"was killed \(signal 9\).*choose fewer copies"):
            process.epoch(3)


def test_waiting_can_be_broken_off_and_nothing_stays_behind() -> None:
    class Stop(Exception):
        pass

    def stop(text: str, share: float | None) -> None:
        raise Stop

    with drawing(AugmentationPlan((PIPELINES["notebook"],), copies=200), stop) as process:
        pid = drawing_pid()
        with pytest.raises(Stop):
            process.epoch(1)
    wait_for(lambda: gone(pid))
