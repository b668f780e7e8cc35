"""Runs as the pages list them."""

from __future__ import annotations

from aquadash.config import RunConfig
from aquadash.runs import Run, RunStatus
from aquadash.ui.run_lists import results_first


def test_runs_with_results_come_first_and_keep_their_order() -> None:
    def run(name: str, **metrics: float) -> Run:
        return Run(name, name, RunStatus.FINISHED, RunConfig(), 0.0, metrics=metrics)

    runs = [run("a"), run("b", test_accuracy=0.5), run("c"), run("d", test_accuracy=0.6)]

    assert [entry.name for entry in results_first(runs)] == ["b", "d", "a", "c"]
