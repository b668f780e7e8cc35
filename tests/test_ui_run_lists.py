"""Runs as the pages list them."""

from __future__ import annotations

from typing import Any

from aquadash.config import RunConfig
from aquadash.runs import Run, RunStatus
from aquadash.ui.run_lists import best_first


def test_the_best_finished_run_is_the_default_of_menus() -> None:
    def run(name: str, status: RunStatus = RunStatus.FINISHED, search_id: str = "", **metrics: float) -> Run:
        return Run(name, name, status, RunConfig(), 0.0, metrics=metrics, search_id=search_id)

    def tested(name: str, val_accuracy: float, **more: Any) -> Run:
        return run(name, val_accuracy=val_accuracy, test_accuracy=0.5, **more)

    runs = [
        run("new", RunStatus.QUEUED), tested("fair", 0.5), tested("trial", 0.9, search_id="s"),
        tested("stopped", 0.8, status=RunStatus.STOPPED), tested("best", 0.6), run("failed", RunStatus.FAILED),
    ]  # fmt: skip

    assert [entry.name for entry in best_first(runs)] == ["best", "fair", "trial", "stopped", "new", "failed"]
