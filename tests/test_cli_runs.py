"""``runs list`` with conditions, order and groups, and the commands that mark runs."""

from __future__ import annotations

import pytest

from aquadash.runs import Run, RunStore
from tests import ui_runs
from tests.test_cli import answer, call, refusal


@pytest.fixture
def three(store: RunStore) -> tuple[Run, Run, Run]:
    return (
        ui_runs.finished(store, "one", {"seed": 1}, right=0.5),
        ui_runs.finished(store, "two", {"seed": 2}, right=0.7),
        ui_runs.finished(store, "three", {"training.optimizer": "adam"}, right=0.8),
    )


def listed(*arguments: str) -> list[str]:
    return [run["name"] for run in answer("runs", "list", *arguments)["runs"]]


def test_conditions_order_and_groups(three: tuple[Run, Run, Run]) -> None:
    assert listed("--where", 'test_accuracy > 0.6 and training.optimizer != "adam"') == ["two"]
    assert listed("--sort", "-test_accuracy") == ["three", "two", "one"]
    said = refusal("runs", "list", "--where", "seed > 0 and test_acuracy > 0.6")
    assert "Character 14" in said and "Did you mean test_accuracy" in said
    assert "test_accuracy" in refusal("runs", "list", "--sort", "test_acuracy")

    groups = answer("runs", "list", "--group-by", "all-but-seed")["groups"]
    assert [group["value"]["training.optimizer"] for group in groups] == ["adam", "sgd"]
    sgd = groups[1]
    assert sorted(sgd["runs"]) == sorted(run.run_id for run in three[:2]) and sgd["seeds"] == 2
    low, high = sgd["test_accuracy"]["low"], sgd["test_accuracy"]["high"]
    assert sgd["test_accuracy"]["mean"] == pytest.approx((low + high) / 2)
    assert sgd["test_accuracy"]["deviation"] == pytest.approx((high - low) / 2**0.5)
    assert "training.optimizer=adam" in call("runs", "list", "--group-by", "all-but-seed").stdout
    assert "Did you mean 'training.optimizer'" in refusal("runs", "list", "--group-by", "optimizer")
    assert {"test_accuracy", "tags", "model.name"} <= {each["name"] for each in answer("runs", "fields")["fields"]}


def test_runs_are_tagged_pinned_and_archived(store: RunStore, three: tuple[Run, Run, Run]) -> None:
    assert answer("runs", "tag", "one", "two", "--tag", "Week 2", "--tag", "flip")["runs"][0]["tags"] == [
        "flip",
        "week-2",
    ]
    assert sorted(listed("--tag", "flip")) == ["one", "two"] == sorted(listed("--where", '"week-2" in tags'))
    assert answer("runs", "untag", "one", "--tag", "flip")["runs"][0]["tags"] == ["week-2"]
    assert "cannot be a tag" in refusal("runs", "tag", "one", "--tag", "a/b")
    assert "There is no run" in refusal("runs", "pin", "nobody")

    assert answer("runs", "pin", "one")["runs"][0]["pinned"]
    assert listed()[0] == "one" and listed("--pinned") == ["one"]
    assert call("runs", "list").stdout.splitlines()[1].split()[1:3] == ["*", "one"]
    assert answer("runs", "archive", "two")["runs"][0]["archived"]
    assert sorted(listed("--no-archived")) == ["one", "three"] and len(listed()) == 3
    assert "out of the archive" in call("runs", "archive", "two", "--off").stdout
    assert not store.get(three[1].run_id).archived
    answer("runs", "pin", "one", "--off")
    assert listed("--pinned") == []
