"""What the live view says about a run at work."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.runs.types import Progress, Run, RunStatus
from aquadash.ui import run_lists
from aquadash.ui.train import live


def run(status: RunStatus = RunStatus.RUNNING, *, name: str = "a", **more: object) -> Run:
    return Run(name * 32, name, status, RunConfig(), 0.0, **more)  # type: ignore[arg-type]


def test_progress_within_an_epoch() -> None:
    progress = Progress(
        "training", epoch=7, epochs=200, batch=210, batches=391, images_per_second=5200, eta_seconds=240
    )
    share, doing, facts = live.progress_text(run(progress=progress))

    assert share == pytest.approx(210 / 391)
    assert doing == "Epoch 7 of at most 200 · batch 210 of 391"
    assert facts == "5,200 images/s · at most 4 min 0 s left; early stopping may end it sooner"


def test_without_patience_nothing_ends_it_sooner() -> None:
    progress = Progress("training", epoch=1, epochs=2, batch=1, batches=2, eta_seconds=60)
    config = with_values(RunConfig(), {"training.patience": 0})
    patient = Run("a" * 32, "a", RunStatus.RUNNING, config, 0.0, progress=progress)

    assert live.progress_text(patient)[2] == "at most 1 min 0 s left"


def test_progress_outside_of_epochs() -> None:
    assert live.progress_text(run()) == (None, "Starting the training process ...", "")
    phase = Progress("making augmented copies, 20%", epochs=200)
    assert live.progress_text(run(progress=phase)) == (None, "Making augmented copies, 20% ...", "")


def test_place_in_the_queue() -> None:
    busy = run(name="b")
    first = run(RunStatus.QUEUED, name="c", rank=1)
    second = run(RunStatus.QUEUED, name="d", rank=2)

    assert "when a running one ends" in live.queue_text(first, [second, first, busy])
    assert "starts in a moment" in live.queue_text(first, [first])
    lost = run(RunStatus.QUEUED, name="e", rank=1, message="The worker on far was lost; another one goes on.")
    assert live.queue_text(lost, [lost]).endswith("in a moment. The worker on far was lost; another one goes on.")
    assert live.queue_text(second, [second, first, busy]).startswith(
        "Number 2 in the queue: 1 run will start before it"
    )
    assert run_lists.active_first([second, first, busy]) == [busy, first, second]
