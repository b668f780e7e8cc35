"""The whole way: a run on drawn images, its ZIP, and its script and notebook executed without AquaDash."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.export import bundle
from aquadash.runs import RunStatus, open_store
from tests.drawn_images import few_drawings
from tests.exported_scripts import execute
from tests.job_rows import train

SETTINGS = {
    "training.epochs": 2,
    "training.learning_rate": 0.05,
    "training.batch_size": 64,
    "augmentation.pipeline": "notebook-1",
}


@pytest.fixture
def taken_home(quiet_worker: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The unpacked ZIP of a run that a worker has trained, on a tenth of the embedded images."""
    drawn = few_drawings(train_per_class=50, test_per_class=10)
    monkeypatch.setattr(data, "load", lambda source, **_: drawn)
    store = open_store()
    run = store.create(with_values(RunConfig(), SETTINGS), name="to take home")
    assert train(store, run.run_id).status is RunStatus.FINISHED
    bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.slow
def test_script_and_notebook_give_the_metrics_of_the_run_and_notice_what_differs(taken_home: Path) -> None:
    metrics = json.loads(json.loads((taken_home / "run.json").read_text())["tags"]["aquadash.metrics"])

    said = execute(taken_home)
    assert said["identical"], said
    assert said["test_accuracy"] == metrics["test_accuracy"]
    assert (said["val_loss"], said["val_accuracy"]) == (metrics["val_loss"], metrics["val_accuracy"])

    (taken_home / "repeated" / "comparison.json").unlink()
    notebook = nbformat.read(taken_home / "notebook.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(taken_home)}})
    client.execute(env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
    assert json.loads((taken_home / "repeated" / "comparison.json").read_text()) == said

    script = taken_home / "train.py"
    script.write_text(script.read_text().replace("SEED = 0\n", "SEED = 1\n"))
    other = execute(taken_home)
    assert not other["identical"] and other["largest_differences"]["probabilities"] > 0

    with np.load(taken_home / "data.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    assert np.array_equal(kept["test_images"], data.load("synthetic").test.images)
    kept["test_images"][0, 0, 0, 0] ^= 1
    np.savez(taken_home / "data.npz", **kept)
    with pytest.raises(AssertionError, match="fingerprint"):
        execute(taken_home)
