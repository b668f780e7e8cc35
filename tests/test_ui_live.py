"""The live view of a running run."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import streamlit as st

from aquadash.config import RunConfig
from aquadash.store.types import Progress, Run, RunStatus
from aquadash.ui import run_lists
from aquadash.ui.train import live


def run(status: RunStatus = RunStatus.RUNNING, *, name: str = "a", **more: object) -> Run:
    return Run(name * 32, name, status, RunConfig(), 0.0, **more)  # type: ignore[arg-type]


def test_the_batches_of_an_epoch_are_kept_until_the_next_epoch() -> None:
    live._trail.clear()
    reports = [Progress("training", 1, 9, batch, 10, time=batch, loss=1.0, accuracy=0.5) for batch in (2, 5, 5)]
    for progress in [*reports, Progress("validating", 1, 9)]:
        live._remember(run(progress=progress))
    assert live._trail("a" * 32) == reports[:2]
    live._remember(run(progress=Progress("training", 2, 9, 1, 10, loss=0.9, accuracy=0.6)))
    assert [seen.epoch for seen in live._trail("a" * 32)] == [2]


def test_place_in_the_queue() -> None:
    busy = run(name="b")
    first = run(RunStatus.QUEUED, name="c", rank=1)
    second = run(RunStatus.QUEUED, name="d", rank=2)

    assert "when a running one ends" in live.queue_text(first, others_train=True)
    assert "starts in a moment" in live.queue_text(first, others_train=False)
    assert "The teacher holds the queue" in live.queue_text(first, others_train=False, is_held=True)
    lost = run(RunStatus.QUEUED, name="e", rank=1, message="The worker on far was lost; another one goes on.")
    assert live.queue_text(lost, others_train=False) == f"Next in the queue. {lost.message}"
    assert live.queue_text(second, others_train=True).startswith("Number 2 in the queue: 1 run will start before it")
    done = run(RunStatus.FINISHED, name="f")
    assert run_lists.active_first([done, second, first, busy]) == [busy, first, second, done]


def test_sessions_share_one_reading_of_a_run_s_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    runs = SimpleNamespace(history=lambda run_id: reads.append(run_id) or [])
    monkeypatch.setattr(live, "lab", lambda: SimpleNamespace(runs=runs))
    # No clock: a busy machine may take longer for the steps below than the stage is kept.
    monkeypatch.setattr(live, "shared_stage", st.cache_resource(show_spinner=False)(live.shared_stage.__wrapped__))
    earlier, later = (run(progress=Progress("training", epoch, 9, 5, 10)) for epoch in (4, 5))
    stage = live.stage_of(earlier)
    live.history_at(earlier, stage)
    # Another session has just looked, so that short epochs are not drawn for each session anew.
    assert live.stage_of(later) == stage
    live.history_at(later, stage)
    assert reads == ["a" * 32]
    live.shared_stage.clear()
    live.history_at(later, live.stage_of(later))
    assert reads == 2 * ["a" * 32]
    live.shared_stage.clear()
    live._cached_history.clear()


def test_curves_are_drawn_less_often_while_a_class_watches() -> None:
    live.recent_looks().clear()
    assert live._epochs_seconds() == live.EPOCHS_SECONDS > live.TICK_SECONDS
    live.recent_looks().extend([time.monotonic()] * live.CLASS_LOOKS)
    assert live._epochs_seconds() == live.CLASS_EPOCHS_SECONDS
    live.recent_looks().clear()
