"""Trainings are logged to an MLflow server; without the server a run only gets a warning."""

import logging
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aquadash import settings
from aquadash.errors import RunError
from aquadash.store import EpochRecord, LeaseLostError, Run, RunStatus, RunStore, Stopped, open_store
from aquadash.training import mlflow_log
from tests.cli.test_cli import answer, refusal
from tests.support.runs import make_run
from tests.support.serving import free_port, start_server
from tests.support.waiting import wait_for

#: Nothing listens on the port for "discard".
AWAY = "http://user:secret@127.0.0.1:9"


@pytest.fixture
def tracking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """MLflow's own store of files in the place of a server."""
    address = (tmp_path / "tracking").as_uri()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    for name, value in mlflow_log.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed (requirements-dev.txt has it)")
    return mlflow.MlflowClient(address)


@pytest.fixture
def begun(store: RunStore) -> Run:
    """A run without epochs."""
    changes = {"model.name": "cnn", "augmentation.pipeline": "none"}
    return make_run(store, "far away", changes, status=RunStatus.QUEUED)


def epoch(number: int) -> EpochRecord:
    return EpochRecord(number, 1.0, 0.5, 1.0, 0.5, 0.01, 2.0)


def mirror(store: RunStore, run: Run, epochs: list[int], ending: BaseException | None = None) -> None:
    """Train a run, as far as MLflow is concerned."""
    with mlflow_log.mirrored(store, run.run_id) as take:
        for number in epochs:
            store.log_epoch(run.run_id, epoch(number), curve=[0.5])
            take(epoch(number))
        if ending is not None:
            raise ending
        store.update(run.run_id, metrics={"val_accuracy": 0.5, "epochs": len(epochs)})


def only_run(client: Any) -> Any:
    (run,) = client.search_runs([client.get_experiment_by_name(mlflow_log.EXPERIMENT).experiment_id])
    return run


def curve(client: Any, key: str) -> list[int]:
    return [point.step for point in client.get_metric_history(only_run(client).info.run_id, key)]


def files(client: Any) -> list[str]:
    return [each.path for each in client.list_artifacts(only_run(client).info.run_id)]


def test_a_training_is_sent_while_it_runs(tracking: Any, store: RunStore, begun: Run) -> None:
    store.set_note(begun.run_id, "a note")
    store.change_tags(begun.run_id, add=["too-dark"])
    mirror(store, begun, [1, 2])
    kept = only_run(tracking)
    assert (kept.info.run_name, kept.info.status) == ("far away", "FINISHED") and kept.info.end_time
    assert kept.data.params["model.name"] == "cnn" and kept.data.params["augmentation.definitions"] == "none"
    assert curve(tracking, "val_loss") == curve(tracking, "seconds") == [1, 2]
    assert kept.data.metrics["final_val_accuracy"] == 0.5
    assert kept.data.tags["mlflow.note.content"] == "a note" and kept.data.tags["aquadash.tags"] == "too-dark"
    assert files(tracking) == ["config.json"]


def test_a_run_that_is_resumed_goes_on_where_it_was(tracking: Any, store: RunStore, begun: Run) -> None:
    endings = {"KILLED": Stopped(), "FAILED": RunError("no memory"), "RUNNING": LeaseLostError("lost")}
    for status, ending in endings.items():
        with pytest.raises(type(ending)):
            mirror(store, begun, [len(store.history(begun.run_id)) + 1], ending)
        assert only_run(tracking).info.status == status
    mirror(store, begun, [4])
    assert only_run(tracking).info.status == "FINISHED" and curve(tracking, "loss") == [1, 2, 3, 4]


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The address of a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["away", "fails later", "slow", "not installed"])
def test_a_server_that_is_not_usable_costs_one_warning(
    kind: str,
    tracking: Any,
    silent_server: str,
    store: RunStore,
    begun: Run,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = "does not answer or refused"
    if kind == "away":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    elif kind == "slow":
        words = "is slow"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", silent_server)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        monkeypatch.setattr(mlflow_log, "PATIENCE", 0.1)
    elif kind == "not installed":
        words = "requirements-mlflow.txt"
        monkeypatch.setitem(sys.modules, "mlflow", None)
        mlflow_log.prepare()
    else:
        monkeypatch.setattr("mlflow.MlflowClient.get_run", lambda *_: 1 / 0)
    mirror(store, begun, [1, 2, 3])
    (said,) = (record.getMessage() for record in caplog.records if record.levelno == logging.WARNING)
    assert words in said and f"runs export {begun.run_id} --mlflow" in said and "secret" not in said
    assert len(store.history(begun.run_id)) == 3
    for thread in threading.enumerate():
        if thread.name == "mlflow":
            thread.join(60)


def test_nothing_is_sent_unless_a_server_is_named(
    tracking: Any, store: RunStore, begun: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    mirror(store, begun, [1])
    assert tracking.get_experiment_by_name(mlflow_log.EXPERIMENT) is None
    finished = make_run(store)
    assert "MLFLOW_TRACKING_URI is not set" in refusal("runs", "export", finished.run_id, "--mlflow")


def test_an_earlier_run_is_sent_by_a_command(tracking: Any, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(store, "earlier", note="a note")
    for _ in range(2):
        assert answer("runs", "export", "earlier", "--mlflow")["mlflow_run_id"] == only_run(tracking).info.run_id
    assert curve(tracking, "val_loss") == [1, 2, 3, 4, 5, 6] and curve(tracking, "final_test_accuracy") == [6]
    assert {"config.json", "predictions.npz"} <= set(files(tracking)) and only_run(tracking).info.status == "FINISHED"
    waiting = make_run(store, "waits", status=RunStatus.QUEUED)
    assert "once it has ended" in refusal("runs", "export", waiting.run_id, "--mlflow")
    assert "Name the FILE" in refusal("runs", "export", run.run_id)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    assert "does not answer or refused" in refusal("runs", "export", run.run_id, "--mlflow")


QUICK = ("--preset", "notebook-fixed", "--set", "training.epochs=2", "--set", "augmentation.pipeline=none")


@pytest.fixture
def server(tracking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a tracking server in a process of its own; mlflow-skinny has none."""
    pytest.importorskip("flask", reason="the whole of MLflow is not installed (requirements-dev.txt has it)")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    port, log = free_port(), tmp_path / "server.log"
    words = f"-m mlflow server --serve-artifacts --workers 1 --host 127.0.0.1 --port {port}"
    stores = f"--backend-store-uri sqlite:///{tmp_path}/server.db --artifacts-destination {tmp_path}/artifacts"
    command = [sys.executable, *words.split(), *stores.split()]
    process = start_server(command, log, cwd=tmp_path, start_new_session=True)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
        return False

    try:
        wait_for(answers, timeout=120, saying=log.read_text)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        yield type(tracking)(f"http://127.0.0.1:{port}")
    finally:
        # The process is gone where it could not start.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


@pytest.mark.soak
def test_a_real_server_gets_a_training_once(server: Any, home: Path) -> None:
    run_id = answer("train", *QUICK, "--name", "far away")["run_id"]
    stored, sent = open_store().get(run_id), only_run(server)
    assert (sent.info.run_name, sent.info.status) == ("far away", "FINISHED")
    assert sent.info.end_time >= sent.info.start_time and sent.data.params["training.batch_size"] == "32"
    assert sent.data.metrics["final_test_accuracy"] == stored.metrics["test_accuracy"]
    assert sent.data.tags["aquadash.dataset_fingerprint"] == stored.dataset_fingerprint
    sizes = {each.path: each.file_size for each in server.list_artifacts(sent.info.run_id)}
    assert sizes["model.keras"] == (settings.run_folder(run_id) / "model.keras").stat().st_size
    assert {"config.json", "environment.json", "history.csv", "predictions.npz", "worker.log"} <= sizes.keys()
    assert " WARNING " not in open_store().log(run_id)
    assert answer("runs", "export", run_id, "--mlflow")["mlflow_run_id"] == only_run(server).info.run_id
    points = server.get_metric_history(sent.info.run_id, "val_accuracy")
    assert [each.value for each in points] == [each.val_accuracy for each in open_store().history(run_id)]


@pytest.mark.soak
def test_a_server_that_never_answers_changes_no_result(
    silent_server: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = answer("train", *QUICK)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", silent_server)
    began = time.monotonic()
    trained = answer("train", *QUICK)
    assert time.monotonic() - began < 120
    figures = [{name: run["metrics"][name] for name in ("test_accuracy", "val_loss")} for run in (alone, trained)]
    assert trained["status"] == "finished" and figures[0] == figures[1]
    assert open_store().log(trained["run_id"]).count(" WARNING ") == 1
    assert f"with: runs export {trained['run_id']} --mlflow" in open_store().log(trained["run_id"])
