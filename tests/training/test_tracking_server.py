"""Trainings on a real MLflow server: what its API and its pages show, and a server that is away or never answers."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aquadash import settings
from aquadash.store import open_store
from aquadash.training.mlflow_log import EXPERIMENT
from tests.cli.test_cli import answer
from tests.support.runs import make_run
from tests.support.serving import free_port
from tests.support.waiting import wait_for

#: mlflow-skinny has no server.
MISSING = importlib.util.find_spec("uvicorn") is None or importlib.util.find_spec("flask") is None
REASON = "the whole of MLflow is not installed (requirements-dev.txt has it)"

#: No telemetry, and no processes for MLflow's own jobs.
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

pytestmark = [pytest.mark.soak, pytest.mark.skipif(MISSING, reason=REASON)]

QUICK = ("--preset", "notebook-fixed", "--set", "training.epochs=2", "--set", "augmentation.pipeline=none")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tracking server in a process of its own."""
    folder = tmp_path_factory.mktemp("tracking")
    port, log = free_port(), folder / "server.log"
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    words = f"-m mlflow server --serve-artifacts --workers 1 --host 127.0.0.1 --port {port}".split()
    stores = (
        "--backend-store-uri",
        f"sqlite:///{folder}/tracking.db",
        "--artifacts-destination",
        f"{folder}/artifacts",
    )
    command = [sys.executable, *words, *stores]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=folder, env=environment | _QUIET, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url, process, log), timeout=120, saying=lambda: log.read_text()[-2000:])
        yield url
    finally:
        # The process is gone where it could not start.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-2000:]
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def asked(url: str, path: str, **body: object) -> Any:
    """Ask what the server's own pages ask."""
    request = urllib.request.Request(
        f"{url}/ajax-api/2.0/mlflow/{path}",
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def check_run(url: str, run_id: str, *, name: str, epochs: int, files: set[str]) -> None:
    """Check the run's name, settings, curves, figures, duration and files on the server."""
    experiment = asked(url, f"experiments/get-by-name?experiment_name={EXPERIMENT}")["experiment"]
    condition = f"tags.`aquadash.run_id` = '{run_id}'"
    (run,) = asked(url, "runs/search", experiment_ids=[experiment["experiment_id"]], filter=condition)["runs"]
    assert run["info"]["run_name"] == name and run["info"]["status"] == "FINISHED"
    assert run["info"]["end_time"] >= run["info"]["start_time"]
    params = {entry["key"]: entry["value"] for entry in run["data"]["params"]}
    assert params["data.source"] == "synthetic" and params["training.batch_size"] == "32"
    figures = {entry["key"]: entry["value"] for entry in run["data"]["metrics"]}
    assert figures["final_test_accuracy"] == open_store().get(run_id).metrics["test_accuracy"]
    mlflow_id = run["info"]["run_id"]
    points = asked(url, f"metrics/get-history?run_id={mlflow_id}&metric_key=val_accuracy")["metrics"]
    history = open_store().history(run_id)
    assert [(point["step"], point["value"]) for point in points] == [
        (each.epoch, each.val_accuracy) for each in history
    ]
    assert len(history) == epochs
    tags = {entry["key"]: entry["value"] for entry in run["data"]["tags"]}
    assert tags["mlflow.source.name"] == "AquaDash"
    assert tags["aquadash.dataset_fingerprint"] == open_store().get(run_id).dataset_fingerprint
    stored = {entry["path"]: entry["file_size"] for entry in asked(url, f"artifacts/list?run_id={mlflow_id}")["files"]}
    assert files <= stored.keys()
    for file in files - {"worker.log"}:
        assert stored[file] == (settings.run_folder(run_id) / file).stat().st_size


def test_a_training_and_an_earlier_run(server: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = make_run(open_store(), "earlier", note="A note.").run_id
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    trained = answer("train", *QUICK, "--name", "far away")
    assert trained["status"] == "finished"
    every = {"config.json", "environment.json", "history.csv", "model.keras", "predictions.npz", "worker.log"}
    check_run(server, trained["run_id"], name="far away", epochs=2, files=every)
    assert " WARNING " not in open_store().log(trained["run_id"])
    for _ in range(2):
        answer("runs", "export", "earlier", "--mlflow")
    check_run(server, earlier, name="earlier", epochs=6, files={"config.json", "predictions.npz"})


@pytest.mark.parametrize("kind", ["refuses", "never answers"])
def test_a_server_that_is_away(home: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    alone = answer("train", *QUICK)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "never answers":
            listener.listen(50)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.time()
        trained = answer("train", *QUICK)
        seconds = time.time() - began
    assert trained["status"] == "finished"
    figures = [{name: run["metrics"][name] for name in ("test_accuracy", "val_loss")} for run in (alone, trained)]
    assert figures[0] == figures[1]
    assert open_store().log(trained["run_id"]).count(" WARNING ") == 1
    assert f"with: runs export {trained['run_id']} --mlflow" in open_store().log(trained["run_id"])
    assert seconds < 120
