"""``python -m aquadash label-safety``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aquadash import data
from aquadash.store import Predictions, Run, RunStatus, RunStore
from tests import job_rows, live_runs
from tests.made_runs import set_status
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
    set_status(store, run.run_id, RunStatus.STOPPED)
    live_runs.queue(store, run.run_id)
    assert "once it has ended" in refusal("label-safety", run.name)
    assert "has not ended yet" in refusal("evaluate", run.name)
