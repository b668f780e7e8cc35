"""The data sets that pages show."""

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from aquadash import data
from aquadash.data import Source
from aquadash.errors import DataError, UnknownNameError
from aquadash.store import Run, RunStatus
from aquadash.ui.kit import datasets
from aquadash.ui.kit.run_lists import best_first, pictured_first
from tests.support.runs import run_record


def test_a_data_set_is_never_downloaded_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    load = Mock(side_effect=AssertionError("nobody asked"))
    monkeypatch.setitem(data.sources.BUILT_IN, "far", Source("far", "Far images", "", False, load, key=lambda: None))
    with pytest.raises(DataError, match="Far images is not on this computer yet"):
        datasets.dataset("far")
    with pytest.raises(UnknownNameError):
        datasets.dataset("farther")


def run(name: str, status: RunStatus = RunStatus.FINISHED, source: str = "synthetic", **values: Any) -> Run:
    return run_record(name, {"data.source": source}, status=status, **values)


def finished(name: str, val_accuracy: float, **values: Any) -> Run:
    return run(name, metrics={"val_accuracy": val_accuracy, "test_accuracy": 0.5}, **values)


def test_the_best_finished_run_is_the_default_of_menus() -> None:
    runs = [
        run("new", RunStatus.QUEUED),
        finished("fair", 0.5),
        finished("trial", 0.9, search_id="s"),
        finished("stopped", 0.8, status=RunStatus.STOPPED),
        finished("best", 0.6),
        run("failed", RunStatus.FAILED),
    ]

    assert [entry.name for entry in best_first(runs)] == ["best", "fair", "trial", "stopped", "new", "failed"]


def test_runs_of_the_sidebars_data_set_come_before_better_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_CIFAR100", __file__)  # Nothing reads it.
    runs = [finished("drawings", 0.9), finished("photos", 0.6, source="cifar100"), run("new", source="cifar100")]
    assert [entry.name for entry in pictured_first(runs)] == ["photos", "drawings", "new"]
    monkeypatch.setattr(datasets, "current", lambda: "synthetic")
    assert [entry.name for entry in pictured_first(runs)] == ["drawings", "photos", "new"]


def test_what_a_student_has_imported_is_nobodys_default() -> None:
    made_up = replace(finished("made up", 1.0), origin="o" * 32, shared=False)
    taught = replace(finished("the teacher's", 0.7), origin="p" * 32)
    ranked = best_first([made_up, finished("fair", 0.5), taught])
    assert [entry.name for entry in ranked] == ["the teacher's", "fair", "made up"]
