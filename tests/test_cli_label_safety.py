"""``python -m aquadash label-safety`` and ``pair``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import data, settings
from aquadash.config import RunConfig
from aquadash.engine import Engine
from aquadash.engine.cluster import sending
from aquadash.people import OWNER, Person
from aquadash.runs import Predictions, Run, RunStatus, RunStore
from tests import job_rows, live_runs
from tests.paired import add_pair
from tests.robust_runs import add_tiny_model
from tests.stored_runs import add_run
from tests.test_cli import answer, call, refusal


@pytest.fixture
def run(store: RunStore, tmp_path: Path) -> Run:
    """With a small network."""
    run = add_run(store)
    labels = data.load("synthetic").train.labels[::20]
    answers = np.full((len(labels), 5), 0.2, np.float32)
    store.add_validation_predictions(run.run_id, Predictions(np.arange(0, 2500, 20), labels, answers))
    return add_tiny_model(store, run, tmp_path)


@pytest.mark.slow
def test_label_safety_says_how_far_a_parameter_goes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.do_at_once(monkeypatch)
    arguments = ("label-safety", run.name, "--pipeline", "notebook-1", "--copies", 4, "--per-class", 2)
    # The blur, not the flip before it.
    values = answer(*arguments, "--high", 4, "--values", 5)
    assert (values["run_id"], values["pipeline"], values["branch"]) == (run.run_id, "notebook-1", 1)
    assert (values["split"], values["images"]) == ("validation", 10)
    sweep = values["sweep"]
    assert (sweep["step"], sweep["title"], sweep["parameter"]) == ("2", "2. Blur", "sigma")
    assert (sweep["values"], sweep["harmless_value"]) == ([0, 1, 2, 3, 4], 0)
    assert sweep["threshold"] == pytest.approx(0.8 * values["clean"]["accuracy"])
    assert values["advice"].startswith(("2. Blur: ", "The network classifies only"))
    assert answer(*arguments, "--step", 2, "--high", 4, "--values", 5) == values
    shown = call(*arguments, "--step", 2, "--parameter", "probability")
    assert "2. Blur: probability" in shown.stdout
    assert shown.returncode == 0


def test_label_safety_refuses_what_cannot_be_measured(store: RunStore, run: Run) -> None:
    assert "no step '7'" in refusal("label-safety", run.name, "--step", 7)
    assert "changes nothing" in refusal("label-safety", run.name, "--pipeline", "notebook", "--branch", 1)
    assert "versions 1 to 5, not 6" in refusal("label-safety", run.name, "--pipeline", "notebook", "--branch", 6)
    store.set_status(run.run_id, RunStatus.STOPPED)
    live_runs.queue(store, run.run_id)
    assert "once it has ended" in refusal("label-safety", run.name)
    assert "has not ended yet" in refusal("evaluate", run.name)


def test_pair_result_and_list(store: RunStore) -> None:
    assert call("pair", "list").stdout == "There are no pairs.\n"
    without, with_it = add_pair(store)
    values = answer("pair", "result", without.pair_id[:6])
    assert (values["pair_id"], values["images"]) == (without.pair_id, "validation")
    assert values["with"]["run_id"] == with_it.run_id
    assert values["overall"]["n"] == 375
    low, high = values["overall"]["change_ci95"]
    assert low < values["overall"]["change"] < high
    assert [row["label"] for row in values["classes"]] == list(with_it.class_names)
    assert 0 <= values["mcnemar"]["p_value"] < 0.05
    assert answer("pair", "result", without.pair_id, "--test")["overall"]["n"] == 500
    assert "so the run with it is probably better" in call("pair", "result", without.pair_id).stdout
    assert answer("pair", "list")["pairs"][0]["pair_id"] == without.pair_id
    assert json.loads(call("pair", "--json", "list").stdout) == answer("pair", "list")
    assert "no pair" in refusal("pair", "result", "nothing")


def test_pair_queues_both_and_waits(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[RunConfig, str, bool, str | None]] = []

    def submit_pair(
        self: Engine, config: RunConfig, pipeline: str, *, same_updates: bool, name: str | None, owner: Person
    ) -> tuple[Run, Run]:
        assert owner is OWNER
        asked.append((config, pipeline, same_updates, name))
        return add_pair(store, status=RunStatus.FINISHED if same_updates else RunStatus.QUEUED)

    monkeypatch.setattr(Engine, "submit_pair", submit_pair)
    base: tuple[Any, ...] = ("pair", "--pipeline", "notebook-1", "--set", "training.epochs=3", "--seed", 4)
    sent: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(settings, "store_is_shared", lambda: True)
        patch.setattr(sending, "wait", lambda: sent.append("own pictures"))
        queued = answer(*base, "--no-wait", "--name", "Mine")
    assert queued["without"]["status"] == "queued" and sent
    config, pipeline, same_updates, name = asked[0]
    assert (config.training.epochs, config.seed, pipeline, same_updates, name) == (3, 4, "notebook-1", False, "Mine")
    done = answer(*base, "--same-updates")
    assert done["overall"]["fixed"] > 0
    assert "name the pipeline to try" in refusal("pair")


def test_a_pair_whose_run_fails_is_told(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def submit_pair(self: Engine, config: RunConfig, pipeline: str, **options: object) -> tuple[Run, Run]:
        return add_pair(store, status=RunStatus.STOPPED)

    monkeypatch.setattr(Engine, "submit_pair", submit_pair)
    assert "Without: Flips stopped" in refusal("pair", "--pipeline", "notebook-1")
