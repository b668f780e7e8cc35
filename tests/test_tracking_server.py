"""The same store, other tools: a real MLflow server, and MLflow's own pages over our database."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from aquadash import data
from aquadash.store import RunStatus, open_store
from aquadash.store.database import EXPERIMENT
from tests.app_pages import open_app_page
from tests.stored_runs import add_run, without_engine
from tests.test_cli import answer, refusal
from tests.tracking_server import MISSING, REASON, mlflow_process, tracking_server

pytestmark = [pytest.mark.soak, pytest.mark.skipif(MISSING, reason=REASON)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tracking_server(tmp_path_factory.mktemp("tracking")) as url:
        yield url


@pytest.fixture
def remote(server: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an app whose runs are on the server."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    return home


def asked(url: str, path: str, **body: object) -> Any:
    """What the server answers to a question of its own pages."""
    request = urllib.request.Request(
        f"{url}/ajax-api/2.0/mlflow/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def check_what_mlflow_shows(url: str, *, name: str, run_id: str, epochs: int) -> None:
    """Name, settings, curves, figures, data, duration and files, where MLflow's pages look for them."""
    experiment = asked(url, f"experiments/get-by-name?experiment_name={EXPERIMENT}")["experiment"]
    kinds = {entry["key"]: entry["value"] for entry in experiment["tags"]}
    assert kinds["mlflow.experimentKind"] == "custom_model_development"
    found = asked(url, "runs/search", experiment_ids=[experiment["experiment_id"]])["runs"]
    run = next(entry for entry in found if entry["info"]["run_id"] == run_id)
    assert run["info"]["run_name"] == name and run["info"]["status"] == "FINISHED"
    assert run["info"]["end_time"] >= run["info"]["start_time"]
    settings = {entry["key"]: entry["value"] for entry in run["data"]["params"]}
    assert settings["data.source"] == "synthetic" and settings["training.batch_size"] == "32"
    figures = {entry["key"]: entry["value"] for entry in run["data"]["metrics"]}
    assert 0 < figures["final_test_accuracy"] < 1
    curve = asked(url, f"metrics/get-history?run_id={run_id}&metric_key=val_accuracy")["metrics"]
    assert [point["step"] for point in curve] == list(range(1, epochs + 1))
    tags = {entry["key"]: entry["value"] for entry in run["data"]["tags"]}
    assert tags["mlflow.source.name"] == "AquaDash"
    used = run["inputs"]["dataset_inputs"][0]["dataset"]
    assert used["name"] == "synthetic" and open_store().get(run_id).dataset_fingerprint in used["source"]
    files = {entry["path"] for entry in asked(url, f"artifacts/list?run_id={run_id}")["files"]}
    assert {"config.json", "predictions.npz"} <= files


def test_a_run_from_training_to_prediction_on_a_server(remote: Path, server: str, tmp_path: Path) -> None:
    quick = ("--set", "training.epochs=2", "--set", "augmentation.pipeline=none")
    trained = answer("train", "--preset", "notebook-fixed", *quick, "--name", "far away")
    run_id = trained["run_id"]
    assert trained["status"] == "finished"
    assert not (remote / "runs.db").exists() and not (remote / "artifacts").exists()

    check_what_mlflow_shows(server, name="far away", run_id=run_id, epochs=2)
    assert answer("evaluate", "far away")["accuracy"] == trained["metrics"]["test_accuracy"]
    assert len(answer("runs", "show", "far away")["history"]) == 2
    picture = tmp_path / "animal.png"
    Image.fromarray(data.load("synthetic").test.images[0]).save(picture)
    assert answer("predict", "far away", picture)["predictions"][0]["label"] in data.load("synthetic").class_names
    again = answer("reproduce", "far away", "--against", "far away")
    assert again["identical"] is True

    answer("runs", "export", "far away", tmp_path / "run.zip")
    brought = answer("runs", "import", tmp_path / "run.zip")["run_id"]
    store = open_store()
    assert brought != run_id and store.get(brought).metrics == store.get(run_id).metrics
    assert store.history(brought) == store.history(run_id)
    assert answer("reproduce", run_id, "--against", brought)["identical"] is True
    (tmp_path / "torn.zip").write_bytes((tmp_path / "run.zip").read_bytes()[:-500])
    before = [run.run_id for run in store.list_runs()]
    assert "torn.zip" in refusal("runs", "import", tmp_path / "torn.zip")
    assert [run.run_id for run in store.list_runs()] == before


def test_pages_and_changes_by_people_on_a_server(remote: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without_engine(monkeypatch)
    store = open_store()
    run = add_run(store, name="mine", note="A note.")
    check_what_mlflow_shows(server, name="mine", run_id=run.run_id, epochs=6)
    assert np.array_equal(store.predictions(run.run_id).labels, data.load("synthetic").test.labels)
    for page in ("home", "evaluate", "compare"):
        app = open_app_page(page, run=run.run_id)
        assert not app.error, app.error[0].value
    store.rename(run.run_id, "renamed")
    store.delete(run.run_id)
    assert run.run_id not in [each.run_id for each in store.list_runs()]
    store.restore(run.run_id)
    assert store.get(run.run_id).name == "renamed" and store.get(run.run_id).status is RunStatus.FINISHED


def test_mlflows_own_pages_over_our_database(home: Path, tmp_path: Path) -> None:
    run = add_run(open_store(), name="here")
    database = f"sqlite:///{home / 'runs.db'}"
    with mlflow_process(tmp_path / "ui.log", "ui", "--backend-store-uri", database) as url:
        check_what_mlflow_shows(url, name="here", run_id=run.run_id, epochs=6)
        with urllib.request.urlopen(url, timeout=30) as page:
            assert b"MLflow" in page.read()
        address = f"{url}/get-artifact?run_id={run.run_id}&path=config.json"
        with urllib.request.urlopen(address, timeout=30) as file:
            assert json.load(file)["data"]["source"] == "synthetic"
