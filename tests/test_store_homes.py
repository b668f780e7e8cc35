"""A home that was moved or copied keeps all its runs and their files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from aquadash.errors import RunError
from aquadash.store import open_store
from tests import stored_runs


def test_a_home_can_be_moved_and_a_lost_file_named(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stored_runs.add_run(open_store(), name="mine")
    before = open_store().predictions(run.run_id)
    moved = shutil.move(home, tmp_path / "stick" / "lab")
    monkeypatch.setenv("AQUADASH_HOME", str(moved))
    store = open_store()
    assert np.array_equal(store.predictions(run.run_id).probabilities, before.probabilities)
    store.add_text_artifact(run.run_id, "worker.log", "written after the move")
    assert store.log(run.run_id) == "written after the move" and not home.exists()
    store.artifact(run.run_id, "predictions.npz").unlink()
    with pytest.raises(RunError, match="predictions.npz of mine is missing"):
        store.predictions(run.run_id)
    with pytest.raises(RunError, match="model.keras of mine is missing"):
        store.model_path(run.run_id)
    store.remove_artifacts(run.run_id, "")
    assert store.artifact_names(run.run_id) == []
