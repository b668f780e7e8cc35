"""Trainings on a real MLflow server, and with one that never answers."""

import importlib.util
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
#: No telemetry, and no processes for MLflow's own jobs.
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(MISSING, reason="the whole of MLflow is not installed (requirements-dev.txt has it)"),
]

QUICK = ("--preset", "notebook-fixed", "--set", "training.epochs=2", "--set", "augmentation.pipeline=none")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tracking server in a process of its own."""
    folder = tmp_path_factory.mktemp("tracking")
    port, log = free_port(), folder / "server.log"
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    words = f"-m mlflow server --serve-artifacts --workers 1 --host 127.0.0.1 --port {port}".split()
    stores = f"--backend-store-uri sqlite:///{folder}/tracking.db --artifacts-destination {folder}/artifacts".split()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *words, *stores],
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment | _QUIET,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(url, process, log), timeout=120, saying=lambda: log.read_text()[-2000:])
        yield url
    finally:
        # The process is gone where it could not start.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


def _answers(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-2000:]
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def check_run(url: str, run_id: str, *, name: str, files: set[str]) -> None:
    """Check the run's name, settings, curve, figures and files on the server."""
    from mlflow import MlflowClient

    client, stored = MlflowClient(url), open_store().get(run_id)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    (run,) = client.search_runs([experiment], f"tags.`aquadash.run_id` = '{run_id}'")
    assert (run.info.run_name, run.info.status) == (name, "FINISHED") and run.info.end_time >= run.info.start_time
    assert run.data.params["training.batch_size"] == "32"
    assert run.data.metrics["final_test_accuracy"] == stored.metrics["test_accuracy"]
    points = [(each.step, each.value) for each in client.get_metric_history(run.info.run_id, "val_accuracy")]
    assert points == [(each.epoch, each.val_accuracy) for each in open_store().history(run_id)]
    assert run.data.tags["aquadash.dataset_fingerprint"] == stored.dataset_fingerprint
    sizes = {each.path: each.file_size for each in client.list_artifacts(run.info.run_id)}
    assert files <= sizes.keys()
    for file in files - {"worker.log"}:
        assert sizes[file] == (settings.run_folder(run_id) / file).stat().st_size


def test_a_training_and_an_earlier_run(server: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = make_run(open_store(), "earlier", note="A note.").run_id
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    trained = answer("train", *QUICK, "--name", "far away")
    assert trained["status"] == "finished"
    every = {"config.json", "environment.json", "history.csv", "model.keras", "predictions.npz", "worker.log"}
    check_run(server, trained["run_id"], name="far away", files=every)
    assert " WARNING " not in open_store().log(trained["run_id"])
    for _ in range(2):
        answer("runs", "export", "earlier", "--mlflow")
    check_run(server, earlier, name="earlier", files={"config.json", "predictions.npz"})


def test_a_server_that_never_answers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = answer("train", *QUICK)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        trained = answer("train", *QUICK)
        assert time.monotonic() - began < 120
    figures = [{name: run["metrics"][name] for name in ("test_accuracy", "val_loss")} for run in (alone, trained)]
    assert trained["status"] == "finished" and figures[0] == figures[1]
    assert open_store().log(trained["run_id"]).count(" WARNING ") == 1
    assert f"with: runs export {trained['run_id']} --mlflow" in open_store().log(trained["run_id"])
