"""A cluster: how a machine is set up, which runs its workers take, and why runs wait. Trainings are stand-ins."""

import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dask
import pytest

from aquadash import __version__, settings
from aquadash.cluster import checks
from aquadash.cluster.services import find_gpu, hand_over
from aquadash.config import RunConfig
from aquadash.errors import RunError
from aquadash.store import Job, RunStatus, RunStore, Worker
from aquadash.store.database import Database
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND
from aquadash.work.queue import Engine
from tests.cli.test_cli import answer, call, refusal
from tests.support.clusters import be_impatient, dask_workers, have_database_problem
from tests.support.job_rows import carry_out_by
from tests.support.live_runs import job_of
from tests.support.serving import free_port
from tests.support.waiting import gone, wait_for

AWAY = "tcp://127.0.0.1:1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler that is away is not waited for."""
    be_impatient(monkeypatch)


@pytest.fixture
def right_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is one that a cluster could use."""
    have_database_problem(monkeypatch, "")


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
def engine(right_database: None, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An app that names a scheduler."""
    monkeypatch.setenv("AQUADASH_SCHEDULER", f"tcp://127.0.0.1:{free_port()}")
    with Engine(store) as engine:
        yield engine


def message_of(store: RunStore, run_id: str) -> str:
    run = store.get(run_id)
    assert run.status is RunStatus.QUEUED
    return run.message


def test_runs_wait_for_the_scheduler_and_then_start_in_their_order(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [engine.submit(RunConfig()).run_id for _ in range(4)]
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


def test_a_worker_of_another_version_takes_no_run_and_the_run_says_why(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks.write_app_state(checks.AppState("0.1", 1))
    said = f"This machine has AquaDash {__version__}, and the app has 0.1."
    with dask_workers(monkeypatch) as cluster:
        check = ("cluster", "worker", "--check", "--scheduler", cluster.scheduler_address)
        with monkeypatch.context() as patch:
            # The app of this process would note its own version.
            patch.setattr(checks, "write_app_state", lambda state: None)
            run_id = engine.submit(RunConfig()).run_id
            wait_for(lambda: f"0: {said}" in message_of(store, run_id))
            assert trainings.begun.empty() and said in refusal(*check)
        assert trainings.begun.get(timeout=30) == run_id
        assert job_of(run_id).message == "" and answer(*check)["worker"] == settings.slots_name()
        trainings.end(run_id)


def test_a_run_says_what_it_waits_for(
    store: RunStore, engine: Engine, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.submit(RunConfig(), needs="gpu")
    engine.serve()
    with monkeypatch.context() as patch:
        have_database_problem(patch, "The database is SQLite.")
        wait_for(lambda: "The database is SQLite." in message_of(store, run.run_id))
    with dask_workers(monkeypatch, workers=0):
        wait_for(lambda: "No worker is connected" in message_of(store, run.run_id))
    with dask_workers(monkeypatch, preload=[]):
        wait_for(lambda: "It takes no runs. Start it with --preload" in message_of(store, run.run_id))
    with dask_workers(monkeypatch):
        wait_for(lambda: "no worker of the cluster has one" in message_of(store, run.run_id))
        # It keeps no slot from another run.
        other = engine.submit(RunConfig()).run_id
        assert trainings.begun.get(timeout=30) == other
        trainings.end(other)
    with dask_workers(monkeypatch, resources={"GPU": 1}):
        assert trainings.begun.get(timeout=30) == run.run_id
        trainings.end(run.run_id)
        wait_for(lambda: store.get(run.run_id).status is RunStatus.FINISHED)


# -- setting up a cluster --------------------------------------------------------------------------------------------


def test_each_problem_of_a_machine_is_said_once(home: Path) -> None:
    done = call("cluster", "worker", "--check", "--scheduler", AWAY)
    assert done.returncode == 1 and done.stdout == ""
    for problem in ("whose locks do not hold on a network folder", "does not answer"):
        assert done.stderr.count(problem) == 1
    assert "No scheduler is named" in refusal("cluster", "status")


def test_cloned_machines_have_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "this_machine", lambda: ("lab", "02fc0000abcd"))
    assert settings.slots_name() == "lab-00abcd"
    assert Worker.of(1).title == "lab", "without a cluster the machine's name says enough"
    monkeypatch.setenv("AQUADASH_WORKER_NAME", "two")
    assert settings.slots_name() == Worker.of(1).title == "two"


def test_the_status_counts_runs_by_worker_and_names_what_is_wrong(
    right_database: None, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        store.submit(RunConfig())
    monkeypatch.setenv("AQUADASH_WORKER_NAME", "0")
    store.jobs.claim([KIND], Worker.of(os.getpid()))
    with dask_workers(monkeypatch) as cluster:
        status = answer("cluster", "status", "--scheduler", cluster.scheduler_address)
        assert [(one["name"], one["busy"], one["slots"], one["version"]) for one in status["workers"]] == [
            ("0", 1, 1, __version__)
        ]
        assert sorted(one["worker"] for one in status["runs"]) == ["", "0"] and status["problems"] == []

        identities = map(str, range(2))
        with monkeypatch.context() as patch:
            patch.setattr(Database, "identity", lambda _: next(identities))
            (problem,) = checks.cluster_status(cluster.scheduler_address)["problems"]
        assert problem.startswith("0: Its database is not that of the app.")

        away = answer("cluster", "status", "--scheduler", AWAY)
        assert len(away["runs"]) == 2 and away["workers"] == []
        assert [f"{AWAY} does not answer" in problem for problem in away["problems"]] == [True]

        have_database_problem(monkeypatch, "The home is another.")
        problems = checks.cluster_status(cluster.scheduler_address)["problems"]
        assert problems == ["The home is another.", "0: The home is another."]


def test_a_worker_that_is_shut_down_hands_its_run_over(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_WORKER_NAME", "leaves")
    words = [sys.executable, "-c", "import time; time.sleep(600)", "aquadash.work"]
    training, stranger = subprocess.Popen(words), subprocess.Popen(words[:-1])
    try:
        monkeypatch.setenv("AQUADASH_SLOTS", "2")
        runs = [store.submit(RunConfig()).run_id for _ in range(2)]
        for process in (training, stranger):
            store.jobs.claim([KIND], Worker.of(process.pid))
        hand_over("another")
        assert [job.status for job in store.jobs.find(kind=KIND)] == 2 * [RunStatus.RUNNING]
        hand_over("leaves")
        assert gone(training.pid)
        assert not gone(stranger.pid), "the number of a training that has ended may belong to another process"
    finally:
        for process in (training, stranger):
            process.kill()
            process.wait()
    for run_id in runs:
        run = store.get(run_id)
        assert run.status is RunStatus.QUEUED and "The worker leaves was shut down; the next one goes on" in run.message
    assert {job.worker_failures for job in store.jobs.find(kind=KIND)} == {0}


def test_a_worker_takes_the_card_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 4\necho 5\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find_gpu() == "4"
    for value, card in (("1,3", "1"), ("-1", ""), ("", "")):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        assert find_gpu() == card


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd checks the units")
def test_the_units_are_what_systemd_expects(tmp_path: Path) -> None:
    for name in ("aquadash-scheduler.service", "aquadash-worker@.service"):
        unit = (settings.PROJECT_ROOT / "docs" / name).read_text()
        unit = unit.replace("USER", "root").replace("FOLDER", str(settings.PROJECT_ROOT))
        (tmp_path / name.replace("@", "@none")).write_text(unit)
    words = ["systemd-analyze", "verify", *map(str, tmp_path.glob("*.service"))]
    verified = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert "aquadash" not in verified.stderr, verified.stderr


def test_the_scheduler_asks_for_certificates_where_dask_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(RunError, match="wants a certificate, and none is set here"),
        checks.connected("tls://127.0.0.1:1"),
    ):
        pass
    monkeypatch.setattr(os, "execv", lambda *_: None)
    monkeypatch.chdir(Path.cwd())  # The command goes to another folder, the test comes back.
    monkeypatch.setattr(os, "environ", {**os.environ})
    for encrypted, scheme in ((False, "tcp"), (True, "tls")):
        with dask.config.set({"distributed.comm.require-encryption": encrypted}):
            said = call("cluster", "scheduler", "--host", "10.0.0.1").stdout
        assert said == f"Workers and the app reach this scheduler as {scheme}://10.0.0.1:8786\n"


def test_an_address_is_shown_without_its_password() -> None:
    assert settings.shown_address("postgresql://me:p4ss:w@host:5432/db") == "postgresql://me:***@host:5432/db"
    assert settings.shown_address("http://10.0.0.1:5000") == "http://10.0.0.1:5000"
