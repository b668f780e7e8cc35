"""The live view of a running run."""

from dataclasses import replace
from functools import partial

from aquadash.presets import PRESETS
from aquadash.store.types import Progress, RunStatus
from aquadash.ui.kit import run_lists
from aquadash.ui.train import live
from tests.support.runs import run_record

run = partial(run_record, status=RunStatus.RUNNING)
queued = partial(run_record, status=RunStatus.QUEUED)


def test_the_batches_of_an_epoch_are_kept_until_the_next_epoch() -> None:
    live.trail_of.clear()
    reports = [Progress("training", 1, 9, batch, 10, time=batch, loss=1.0, accuracy=0.5) for batch in (2, 5, 5)]
    for progress in [*reports, Progress("validating", 1, 9)]:
        live.remember(run("a", progress=progress))
    assert live.trail_of(run("a").run_id) == reports[:2]
    live.remember(run("a", progress=Progress("training", 2, 9, 1, 10, loss=0.9, accuracy=0.6)))
    assert [seen.epoch for seen in live.trail_of(run("a").run_id)] == [2]


def test_the_time_left_is_that_of_the_epochs_which_the_preset_usually_takes() -> None:
    def left(epoch: int, eta_seconds: float) -> str:
        progress = Progress("training", epoch, 200, 0, 10, eta_seconds=eta_seconds)
        return run_lists.remaining(replace(run("a", progress=progress), config=PRESETS["notebook-fixed"].config))

    assert left(11, 1900) == "about 3 min 20 s left"
    assert left(31, 1700) == left(41, 1600) == left(200, 0) == run_lists.remaining(run("a")) == ""


def test_place_in_the_queue() -> None:
    busy, first, second = run("b"), queued("c", rank=1), queued("d", rank=2)
    assert "when a running one ends" in live.queue_text(first, visible=1, hidden=0)
    assert "when a run hidden by the teacher ends" in live.queue_text(first, visible=0, hidden=1)
    assert "starts in a moment" in live.queue_text(first, visible=0, hidden=0)
    assert "The queue is paused: no run starts" in live.queue_text(first, visible=0, hidden=0, is_held=True)
    lost = queued("e", rank=1, message="The worker on far was lost; another one goes on.")
    assert live.queue_text(lost, visible=0, hidden=0) == f"Next in the queue. {lost.message}"
    assert live.queue_text(second, visible=1, hidden=0).startswith("Number 2 in the queue: 1 run will start before it")
    done = run_record("f")
    assert run_lists.active_first([done, second, first, busy]) == [busy, first, second, done]
