"""Runs on the pages: their lists, the live view of a running one, and their comparison."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from aquadash.lab import memory
from aquadash.presets import PRESETS
from aquadash.store import Progress, Run, RunStatus, RunStore
from aquadash.store.artifacts import PREDICTIONS
from aquadash.ui.compare import comparison_settings
from aquadash.ui.kit import datasets, run_lists
from aquadash.ui.kit.compared import Compared
from aquadash.ui.kit.run_lists import best_first, pictured_first
from aquadash.ui.train import live
from tests.support import live_runs
from tests.support.runs import make_run, run_record, skilled


def run(name: str, status: RunStatus = RunStatus.FINISHED, source: str = "synthetic", **values: Any) -> Run:
    return run_record(name, {"data.source": source}, status=status, **values)


def finished(name: str, val_accuracy: float, **values: Any) -> Run:
    return run(name, metrics={"val_accuracy": val_accuracy, "test_accuracy": 0.5}, **values)


def test_the_best_finished_run_is_the_default_of_menus_unless_a_student_has_imported_it() -> None:
    runs = [
        run("new", RunStatus.QUEUED),
        replace(finished("made up", 1.0), origin="o" * 32, shared=False),
        replace(finished("the teacher's", 0.7), origin="p" * 32),
        finished("fair", 0.5),
        finished("trial", 0.9, search_id="s"),
        finished("stopped", 0.8, status=RunStatus.STOPPED),
        finished("best", 0.6),
        run("failed", RunStatus.FAILED),
    ]
    names = ["the teacher's", "best", "fair", "made up", "trial", "stopped", "new", "failed"]
    assert [entry.name for entry in best_first(runs)] == names


def test_runs_of_the_sidebars_data_set_come_before_better_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_CIFAR100", __file__)  # Nothing reads it.
    runs = [finished("drawings", 0.9), finished("photos", 0.6, source="cifar100"), run("new", source="cifar100")]
    assert [entry.name for entry in pictured_first(runs)] == ["photos", "drawings", "new"]
    monkeypatch.setattr(datasets, "current", lambda: "synthetic")
    assert [entry.name for entry in pictured_first(runs)] == ["drawings", "photos", "new"]


running = partial(run, status=RunStatus.RUNNING)


def test_the_batches_of_an_epoch_are_kept_until_the_next_epoch() -> None:
    live.trail_of.clear()
    reports = [Progress("training", 1, 9, batch, 10, time=batch, loss=1.0, accuracy=0.5) for batch in (2, 5, 5)]
    for progress in [*reports, Progress("validating", 1, 9)]:
        live.remember(running("a", progress=progress))
    assert live.trail_of(running("a").run_id) == reports[:2]
    live.remember(running("a", progress=Progress("training", 2, 9, 1, 10, loss=0.9, accuracy=0.6)))
    assert [seen.epoch for seen in live.trail_of(running("a").run_id)] == [2]


def test_the_time_left_is_that_of_the_epochs_which_the_preset_usually_takes() -> None:
    def left(epoch: int, eta_seconds: float) -> str:
        progress = Progress("training", epoch, 200, 0, 10, eta_seconds=eta_seconds)
        return run_lists.remaining(replace(running("a", progress=progress), config=PRESETS["notebook-fixed"].config))

    assert left(11, 1900) == "about 3 min 20 s left"
    assert left(31, 1700) == left(41, 1600) == left(200, 0) == run_lists.remaining(running("a")) == ""


def test_place_in_the_queue() -> None:
    queued = partial(run, status=RunStatus.QUEUED)
    busy, first, second = running("b"), queued("c", rank=1), queued("d", rank=2)
    assert "when a running one ends" in live.queue_text(first, visible=1, hidden=0)
    assert "when a run hidden by the teacher ends" in live.queue_text(first, visible=0, hidden=1)
    assert "starts in a moment" in live.queue_text(first, visible=0, hidden=0)
    assert "The queue is paused: no run starts" in live.queue_text(first, visible=0, hidden=0, is_held=True)
    lost = queued("e", rank=1, message="The worker on far was lost; another one goes on.")
    assert live.queue_text(lost, visible=0, hidden=0) == f"Next in the queue. {lost.message}"
    done = run("f")
    assert run_lists.active_first([done, second, first, busy]) == [busy, first, second, done]


def test_the_same_pipeline_edited_in_between_is_a_difference() -> None:
    def carried(step: str) -> dict[str, object]:
        steps = f'{{"mine": {{"branches": [{{"operators": ["{step}"]}}]}}}}'
        return {"augmentation.pipeline": "mine", "augmentation.definitions": steps}

    one, other = run_record("one", carried("a")), run_record("other", carried("b"))
    ((label, told),) = comparison_settings.settings_table([one, other], everything=False)
    assert label == "Pipelines saved with the run"
    assert told[0].startswith("mine (version ") and told[1] not in (told[0], "–")
    assert comparison_settings.settings_table([one, run_record("other", carried("a"))], everything=False) == []
    labels = [label for label, _ in comparison_settings.settings_table([one, run_record("other")], everything=False)]
    assert "Augmentation" in labels and "Pipelines saved with the run" not in labels


def test_predictions_that_are_put_back_are_compared(store: RunStore) -> None:
    runs = tuple(make_run(store, name, predictions=skilled(0.7, seed=seed)) for seed, name in enumerate(("one", "two")))
    path = store.artifact(runs[1].run_id, PREDICTIONS)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    torn = Compared(runs, ("one", "two"), "test")
    assert torn.results.pairs[0].result is None and "damaged" in torn.damaged()["two"]
    assert torn.results.evaluations[0] is not None and torn.results.evaluations[1] is None
    path.write_bytes(whole)
    mended = Compared(runs, ("one", "two"), "test")
    assert mended.results.pairs[0].result is not None and not mended.damaged()

    first = mended.results.evaluations[0]
    live_runs.queue(store, runs[1].run_id)
    memory.refresh()
    assert Compared(runs, ("one", "two"), "test").results.evaluations == (first, None), "resumed while it is read"
