"""Workers of a cluster that take runs: their order, and the reasons why they wait. Trainings are stand-ins."""

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from aquadash import __version__
from aquadash.cluster import checks
from aquadash.config import RunConfig, with_values
from aquadash.store import Job, RunStatus, RunStore
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND
from aquadash.work.queue import Engine
from tests.support.clusters import be_impatient, dask_workers, have_database_problem
from tests.support.job_rows import carry_out_by
from tests.support.live_runs import job_of
from tests.support.serving import free_port
from tests.support.tiny_networks import QUICK
from tests.support.waiting import wait_for


class Trainings:
    """Stands in for what carries a job out: each training ends when the test says so."""

    def __init__(self) -> None:
        self.begun: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.may_end: dict[str, threading.Event] = {}

    def carry_out(self, jobs: JobTable, job: Job, *, slot_ends: Callable[[], bool]) -> None:
        self.may_end[job.run] = threading.Event()
        self.begun.put(job.run)
        while not self.may_end[job.run].wait(0.05):
            if slot_ends():
                return
        jobs.end(job, RunStatus.FINISHED)

    def end(self, run_id: str) -> None:
        self.may_end[run_id].set()


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    trainings = Trainings()
    carry_out_by(monkeypatch, trainings.carry_out)
    return trainings


@pytest.fixture
def engine(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An app that names a scheduler, with a database that a cluster could use."""
    monkeypatch.setenv("AQUADASH_SCHEDULER", f"tcp://127.0.0.1:{free_port()}")
    have_database_problem(monkeypatch, "")
    be_impatient(monkeypatch)
    with Engine(store) as engine:
        yield engine


def submitted(engine: Engine, count: int) -> list[str]:
    return [engine.submit(RunConfig()).run_id for _ in range(count)]


def message_of(store: RunStore, run_id: str) -> str:
    run = store.get(run_id)
    assert run.status is RunStatus.QUEUED
    return run.message


def test_runs_wait_for_the_scheduler_and_then_start_in_their_order(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = submitted(engine, 4)
    wait_for(lambda: "does not answer" in message_of(store, runs[0]))
    assert engine.slots() == 1, "nobody has seen the cluster yet"
    with dask_workers(monkeypatch, slots=2):
        assert {trainings.begun.get(timeout=30), trainings.begun.get(timeout=30)} == {*runs[:2]}
        wait_for(lambda: engine.slots() == 2)
        assert checks.read_app_state() == checks.AppState(__version__, 2)
        wait_for(lambda: message_of(store, runs[3]) == "")
        # The first keeps its slot for long; the others take turns in the second.
        for ended, following in zip(runs[1:], runs[2:], strict=False):
            trainings.end(ended)
            assert trainings.begun.get(timeout=30) == following
        assert {job.worker.name for job in store.jobs.find(kind=KIND)} == {"0"}
        for run_id in (runs[0], runs[3]):
            trainings.end(run_id)
        wait_for(lambda: all(run.status is RunStatus.FINISHED for run in store.list_runs()))


def test_a_scheduler_that_comes_back_gets_its_workers_again(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dask_workers(monkeypatch):
        (first,) = submitted(engine, 1)
        assert trainings.begun.get(timeout=30) == first
    (second,) = submitted(engine, 1)
    wait_for(lambda: "does not answer" in message_of(store, second))
    with dask_workers(monkeypatch):
        wait_for(lambda: message_of(store, second) == "")
        assert trainings.begun.empty(), "the training has outlived its worker and keeps the slot"
        store.jobs.end(job_of(first), RunStatus.FINISHED)
        assert trainings.begun.get(timeout=30) == second
        trainings.end(second)


def test_a_worker_of_another_version_takes_no_run_and_the_run_says_why(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks.write_app_state(checks.AppState(__version__, 1))
    with dask_workers(monkeypatch):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(checks, "__version__", "0.1")
            (run_id,) = submitted(engine, 1)
            wait_for(lambda: "0: This machine has AquaDash 0.1, and the app has" in message_of(store, run_id))
            assert trainings.begun.empty()
        assert trainings.begun.get(timeout=30) == run_id
        assert job_of(run_id).message == ""
        trainings.end(run_id)


def test_a_dask_worker_without_the_plugin_is_named(
    store: RunStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dask_workers(monkeypatch, preload=[]):
        (run_id,) = submitted(engine, 1)
        wait_for(lambda: "It takes no runs. Start it with --preload" in message_of(store, run_id))


def test_without_workers_or_a_graphics_card_a_run_says_what_it_waits_for(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.submit(RunConfig(), needs="gpu")
    with dask_workers(monkeypatch, workers=0):
        engine.serve()
        wait_for(lambda: "No worker is connected" in message_of(store, run.run_id))
    with dask_workers(monkeypatch):
        wait_for(lambda: "no worker of the cluster has one" in message_of(store, run.run_id))
        # It keeps no slot from another run.
        (other,) = submitted(engine, 1)
        assert trainings.begun.get(timeout=30) == other
        trainings.end(other)
    with dask_workers(monkeypatch, resources={"GPU": 1}):
        assert trainings.begun.get(timeout=30) == run.run_id
        trainings.end(run.run_id)
        wait_for(lambda: store.get(run.run_id).status is RunStatus.FINISHED)


def test_a_problem_of_the_database_is_said(store: RunStore, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    have_database_problem(monkeypatch, "The database is SQLite.")
    (run_id,) = submitted(engine, 1)
    wait_for(lambda: "The database is SQLite." in message_of(store, run_id))


@pytest.mark.slow
def test_a_run_is_trained(
    quick_training: None, store: RunStore, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dask_workers(monkeypatch):
        run_id = engine.submit(with_values(QUICK, {"training.epochs": 1})).run_id
        wait_for(lambda: store.get(run_id).status.ended, saying=lambda: store.get(run_id))
    assert store.get(run_id).status is RunStatus.FINISHED and store.get(run_id).worker.name == "0"
