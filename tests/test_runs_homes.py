"""A home that was moved, copied or made by an earlier version keeps all its runs and their files."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from aquadash.errors import RunError
from aquadash.runs import RunStatus, open_store
from tests import stored_runs
from tests.test_cli import answer

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "home-0.6.0.tar.gz"


def test_a_home_can_be_moved(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = stored_runs.add_run(open_store(), name="mine")
    before = open_store().predictions(run.run_id)
    moved = shutil.move(home, tmp_path / "stick" / "lab")
    monkeypatch.setenv("AQUADASH_HOME", str(moved))
    store = open_store()
    assert np.array_equal(store.predictions(run.run_id).probabilities, before.probabilities)
    store.add_text_artifact(run.run_id, "worker.log", "written after the move")
    assert store.log(run.run_id) == "written after the move" and not home.exists()
    store.remove_artifacts(run.run_id, "")
    assert store.artifact_names(run.run_id) == []


def test_a_file_that_is_gone_is_named(home: Path) -> None:
    store = open_store()
    run = stored_runs.add_run(store, name="mine")
    path = store.artifact(run.run_id, "predictions.npz")
    assert path is not None and path.is_relative_to(home)
    path.unlink()
    with pytest.raises(RunError, match="predictions.npz of mine is missing"):
        store.predictions(run.run_id)
    with pytest.raises(RunError, match="model.keras of mine is missing"):
        store.model_path(run.run_id)


@pytest.mark.skipif(not ARCHIVE.is_file(), reason=f"{ARCHIVE.name} is not in ../shared/data")
def test_a_home_of_0_6_0_that_was_moved_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / ".aquadash"))
    store = open_store()
    finished = [run for run in store.list_runs() if run.status is RunStatus.FINISHED]
    assert len(finished) >= 5
    for run in finished:
        assert answer("evaluate", run.run_id)["n"] == run.test_images
        assert store.model_path(run.run_id).is_file() and store.history(run.run_id) and store.environment(run.run_id)
        assert store.epoch_replay(run.run_id) is not None and store.strangers(run.run_id) is not None
    assert all(run.status is not RunStatus.UNREADABLE for run in store.list_runs())
