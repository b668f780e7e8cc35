"""Trainings are logged to an MLflow server; without the server a run only gets a warning."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest

from aquadash.errors import RunError
from aquadash.store import EpochRecord, LeaseLostError, Run, RunStatus, RunStore, Stopped
from aquadash.training import mlflow_log
from tests.cli.test_cli import answer, refusal
from tests.support.runs import make_run


class Metric(NamedTuple):
    key: str
    value: float
    timestamp: int
    step: int


class Pair(NamedTuple):
    key: str
    value: str


@dataclass
class Kept:
    """A run of the server."""

    info: Any
    tags: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    points: list[Metric] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def data(self) -> SimpleNamespace:
        return SimpleNamespace(metrics={point.key: point.value for point in self.points})

    def curve(self, key: str) -> list[int]:
        return [point.step for point in self.points if point.key == key]


class FakeServer:
    """In the place of ``MlflowClient``: keeps what it is sent."""

    def __init__(self) -> None:
        self.runs: list[Kept] = []
        #: Called before each request.
        self.before: Callable[[], object] = lambda: None

    def __call__(self, address: str) -> FakeServer:
        assert address == "http://user:secret@tracking.example"
        return self

    def create_experiment(self, name: str) -> str:
        self.before()
        raise FakeError("There is one already.")

    def get_experiment_by_name(self, name: str) -> SimpleNamespace:
        self.before()
        return SimpleNamespace(experiment_id="7")

    def search_runs(self, experiments: list[str], condition: str, max_results: int) -> list[Kept]:
        return [kept for kept in self.runs if condition == f"tags.`aquadash.run_id` = '{kept.tags['aquadash.run_id']}'"]

    def create_run(self, experiment: str, start_time: int, tags: dict[str, str], run_name: str) -> Kept:
        info = SimpleNamespace(run_id=f"m{len(self.runs)}", name=run_name, status="RUNNING", end_time=None)
        self.runs.append(Kept(info, dict(tags)))
        return self.runs[-1]

    def get_run(self, run_id: str) -> Kept:
        return next(kept for kept in self.runs if kept.info.run_id == run_id)

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        return [point for point in self.get_run(run_id).points if point.key == key]

    def update_run(self, run_id: str, status: str, name: str) -> None:
        vars(self.get_run(run_id).info).update(status=status, name=name)

    def log_batch(
        self, run_id: str, metrics: list[Metric] = (), params: list[Pair] = (), tags: list[Pair] = ()
    ) -> None:
        self.before()
        kept = self.get_run(run_id)
        kept.points += metrics
        kept.params |= dict(params)
        kept.tags |= dict(tags)

    def log_artifact(self, run_id: str, path: Any) -> None:
        assert path.is_file()
        self.get_run(run_id).files.append(path.name)

    def set_terminated(self, run_id: str, status: str, end_time: int) -> None:
        vars(self.get_run(run_id).info).update(status=status, end_time=end_time)


class FakeError(Exception):
    """In the place of ``MlflowException``."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A tracking server without MLflow and without a network."""
    server = FakeServer()
    modules = {
        "mlflow": {"MlflowClient": server},
        "mlflow.entities": {"Metric": Metric, "Param": Pair, "RunTag": Pair},
        "mlflow.exceptions": {"MlflowException": FakeError},
    }
    for name, values in modules.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    for name in mlflow_log.ENVIRONMENT:
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@tracking.example")
    return server


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


def test_a_training_is_sent_while_it_runs(server: FakeServer, store: RunStore, begun: Run) -> None:
    store.set_note(begun.run_id, "a note")
    store.change_tags(begun.run_id, add=["too-dark"])
    mirror(store, begun, [1, 2])
    (kept,) = server.runs
    assert (kept.info.name, kept.info.status) == ("far away", "FINISHED") and kept.info.end_time
    assert kept.params["model.name"] == "cnn" and kept.params["augmentation.definitions"] == "none"
    assert kept.curve("val_loss") == kept.curve("seconds") == [1, 2]
    assert kept.data.metrics["final_val_accuracy"] == 0.5
    assert kept.tags["mlflow.note.content"] == "a note" and kept.tags["aquadash.tags"] == "too-dark"
    assert kept.files == ["config.json"]


def test_a_run_that_is_resumed_goes_on_where_it_was(server: FakeServer, store: RunStore, begun: Run) -> None:
    for ending, status in (
        (Stopped(), "KILLED"),
        (RunError("no memory"), "FAILED"),
        (LeaseLostError("lost"), "RUNNING"),
    ):
        with pytest.raises(type(ending)):
            mirror(store, begun, [len(store.history(begun.run_id)) + 1], ending)
        assert server.runs[0].info.status == status
    mirror(store, begun, [4])
    (kept,) = server.runs
    assert kept.info.status == "FINISHED" and kept.curve("loss") == [1, 2, 3, 4]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_server_that_is_away_costs_one_warning(
    server: FakeServer, store: RunStore, begun: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise ConnectionError("refused by http://user:secret@tracking.example")

    server.before = away
    mirror(store, begun, [1, 2, 3])
    (said,) = warnings(caplog)
    assert "does not answer" in said and f"runs export {begun.run_id} --mlflow" in said and "secret" not in said
    assert len(store.history(begun.run_id)) == 3 and not server.runs


def test_a_server_that_fails_later_costs_one_warning(
    server: FakeServer, store: RunStore, begun: Run, caplog: pytest.LogCaptureFixture
) -> None:
    requests = iter(range(100))
    server.before = lambda: 1 / (next(requests) - 4)
    mirror(store, begun, [1, 2, 3])
    assert len(warnings(caplog)) == 1 and server.runs[0].info.status == "RUNNING"


def test_a_slow_server_is_not_waited_for(
    server: FakeServer,
    store: RunStore,
    begun: Run,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mlflow_log, "PATIENCE", 0.1)
    answers = threading.Event()
    server.before = answers.wait
    mirror(store, begun, [1, 2, 3])
    (said,) = warnings(caplog)
    assert "slow" in said and f"runs export {begun.run_id} --mlflow" in said
    answers.set()
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "mlflow"]
    thread.join(60)


def test_a_package_that_is_missing_costs_one_warning(
    server: FakeServer,
    store: RunStore,
    begun: Run,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    mlflow_log.prepare()
    mirror(store, begun, [1, 2])
    (said,) = warnings(caplog)
    assert "requirements-mlflow.txt" in said
    finished = make_run(store)
    assert "requirements-mlflow.txt" in refusal("runs", "export", finished.run_id, "--mlflow")


def test_nothing_is_sent_unless_a_server_is_named(
    server: FakeServer, store: RunStore, begun: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    server.before = lambda: 1 / 0
    mlflow_log.prepare()
    mirror(store, begun, [1])
    assert not server.runs and "mlflow" not in [thread.name for thread in threading.enumerate()]
    finished = make_run(store)
    assert "MLFLOW_TRACKING_URI is not set" in refusal("runs", "export", finished.run_id, "--mlflow")


def test_an_earlier_run_is_sent_by_a_command(server: FakeServer, store: RunStore) -> None:
    run = make_run(store, "earlier", note="a note")
    assert answer("runs", "export", "earlier", "--mlflow")["mlflow_run_id"] == "m0"
    answer("runs", "export", "earlier", "--mlflow")
    (kept,) = server.runs
    assert kept.curve("val_loss") == [1, 2, 3, 4, 5, 6] and kept.curve("final_test_accuracy") == [6]
    assert {"config.json", "predictions.npz"} <= set(kept.files) and kept.info.status == "FINISHED"
    waiting = make_run(store, "waits", status=RunStatus.QUEUED)
    assert "once it has ended" in refusal("runs", "export", waiting.run_id, "--mlflow")
    assert "Name the FILE" in refusal("runs", "export", run.run_id)
    server.before = lambda: 1 / 0
    assert "does not answer or refused" in refusal("runs", "export", run.run_id, "--mlflow")
