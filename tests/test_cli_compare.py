"""The command ``compare``: the pairs, their corrected p-values, and what runs cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash.runs import RunStore, open_store
from tests import ui_runs
from tests.compared_runs import add_compared
from tests.test_cli import answer, call, refusal


@pytest.fixture
def store(home: Path, tmp_path: Path) -> RunStore:
    store = open_store()
    add_compared(store, "plain", skill=0.5, seed=0, epochs=8, folder=tmp_path / "a")
    add_compared(store, "other", {"seed": 5}, skill=0.52, seed=1)
    add_compared(store, "better", {"training.optimizer": "adam"}, skill=0.8, seed=2)
    return store


def test_all_pairs_accuracies_and_costs_are_told(store: RunStore) -> None:
    values = answer("compare", "plain", "other", "better")
    ids = [run["run_id"] for run in values["runs"]]
    assert values["on"] == "test"
    assert [(pair["a"], pair["b"]) for pair in values["pairs"]] == [
        (ids[0], ids[1]),
        (ids[0], ids[2]),
        (ids[1], ids[2]),
    ]
    assert values["mcnemar"] == values["pairs"][:2]
    for pair in values["pairs"]:
        low, high = pair["difference_ci95"]
        assert low < pair["difference"] < high and pair["p_value_holm"] >= pair["p_value"]
    assert values["pairs"][1]["p_value_holm"] < 0.001
    for entry, run in zip(values["accuracy"], values["runs"], strict=True):
        low, high = entry["accuracy_ci95"]
        assert entry["n"] == 500 and low < entry["accuracy"] < high
        assert entry["accuracy"] == pytest.approx(run["metrics"]["test_accuracy"])
    assert sum(values["right_by"]) == 500 and len(values["right_by"]) == 4
    assert [cost["epochs"] for cost in values["cost"]] == [8, 6, 6]
    assert [cost["parameters"] for cost in values["cost"]] == [1000, None, None]
    assert values["pareto_front"] == [ids[2]]


def test_validation_images_can_be_asked_for(store: RunStore) -> None:
    values = answer("compare", "plain", "better", "--on", "validation")
    assert values["on"] == "validation" and values["accuracy"][0]["n"] == 375 and values["pairs"][0]["n"] == 375
    assert "nonsense" in refusal("compare", "plain", "better", "--on", "nonsense")


def test_runs_without_results_are_left_out_of_the_pairs(store: RunStore) -> None:
    ui_runs.queued(store, "waits")
    ui_runs.finished(store, "elsewhere", fingerprint="e" * 64)
    values = answer("compare", "plain", "waits", "elsewhere")
    assert [pair["error"] is None for pair in values["pairs"]] == [False, False, False]
    assert "different images" in values["pairs"][1]["error"] and values["right_by"] is None


def test_the_text_says_the_same(store: RunStore) -> None:
    text = call("compare", "plain", "other", "better").stdout
    assert "by Holm's correction" in text and "points (" in text and "on front" in text
