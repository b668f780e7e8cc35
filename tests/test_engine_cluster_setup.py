"""Setting up a cluster: what would be started and what is said to be wrong, and runs that no worker can take."""

from __future__ import annotations

import os
import queue
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster
from filelock import FileLock

from aquadash import settings
from aquadash.cluster import checks
from aquadash.cluster.worker import ClusterWorker, find_gpus, plan_workers
from aquadash.config import RunConfig
from aquadash.errors import ConfigError, RunError
from aquadash.store import JobStatus, RunStatus, Worker, open_jobs, open_store, processes
from aquadash.store.runs import KIND
from aquadash.work.queue import connecting, slots
from aquadash.work.slots import Slots
from tests.made_runs import create
from tests.serving import free_port
from tests.test_cli import call, refusal
from tests.waiting import wait_for


def test_one_worker_for_each_card_or_one_with_slots() -> None:
    cards = plan_workers(name="big", slots=None, gpus="0, 2", port=9000)
    assert [(one.name, one.threads, one.gpu, one.port) for one in cards] == [
        ("big-gpu0", 1, "0", 9000),
        ("big-gpu2", 1, "2", 9001),
    ]
    for one in cards:
        assert one.environment()["CUDA_VISIBLE_DEVICES"] == one.gpu
        assert "GPU=1" in one.command("tcp://there:1", None)
    (plain,) = plan_workers(name=None, slots=3, gpus="none", port=0)
    assert (plain.name, plain.threads) == (socket.gethostname(), 3)
    assert plain.environment()["AQUADASH_SLOTS"] == "3" and cards[0].environment()["AQUADASH_SLOTS"] == "1"
    assert plain.environment()["CUDA_VISIBLE_DEVICES"] == "-1"
    words = plain.command("tcp://there:1", "10.0.0.2")
    assert "--no-nanny" in words and words[words.index("--nthreads") + 1] == "3" and "--resources" not in words
    assert words[words.index("--host") + 1] == "10.0.0.2"


def test_a_relative_path_is_found_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = {"AQUADASH_HOME", "AQUADASH_CIFAR100", "AQUADASH_WEIGHTS", "KERAS_HOME"}
    for name in named:
        monkeypatch.setenv(name, "mine")
    (worker,) = plan_workers(name=None, slots=1, gpus="none", port=0)
    for found in (processes.environment(), worker.environment()):
        assert {found[name] for name in named} == {str(tmp_path / "mine")} and "AQUADASH_IMPORT" not in found


def test_cards_of_the_environment_count_before_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, cards in (("1,3", ["1", "3"]), ("-1", []), ("", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        assert find_gpus() == cards


@pytest.mark.parametrize(("slots", "gpus", "said"), [(2, "0", "--gpus none"), (None, "0,;rm", "expected auto")])
def test_what_cannot_be_started_is_refused(slots: int | None, gpus: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        plan_workers(name=None, slots=slots, gpus=gpus, port=0)


def test_an_address_is_shown_without_its_password() -> None:
    assert settings.shown_address("postgresql://me:p4ss:w@host:5432/db") == "postgresql://me:***@host:5432/db"
    assert settings.shown_address("http://10.0.0.1:5000") == "http://10.0.0.1:5000"


def test_a_machine_with_a_store_of_its_own_and_no_scheduler_is_told_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.5)
    line = refusal("cluster", "worker", "--scheduler", f"tcp://127.0.0.1:{free_port()}", "--check")
    assert "a file that no other machine may write to" in line and "does not answer" in line
    assert "AQUADASH_DATABASE is not set, so that runs would wait in a file" in line
    assert "No scheduler is named" in refusal("cluster", "status")


def test_two_workers_with_one_name_are_one_too_many(home: Path) -> None:
    path = settings.home() / "locks" / "cluster-worker-one%2Ftwo.lock"
    path.parent.mkdir(parents=True)
    said = re.escape(f"Another worker of {home} is called one/two")
    with FileLock(path), pytest.raises(ConfigError, match=said):
        ClusterWorker("tcp://127.0.0.1:1", plan_workers(name="one/two", slots=1, gpus="none", port=0)).run()


_began: queue.SimpleQueue[str] = queue.SimpleQueue()
_may_end: dict[str, threading.Event] = {}


def _busy(kind: str, version: str, database: str) -> str:
    """Stands in for what a slot does: claims the next job and is busy with it."""
    jobs = open_jobs()
    job = jobs.claim([kind], Worker("here", threading.get_ident()))
    if job is None:
        return "nothing to do"
    _began.put(job.run)
    _may_end[job.run].wait(60)
    jobs.end(job, JobStatus.FINISHED)
    return "done"


def _refuses(kind: str, version: str, database: str) -> str:
    _began.put("refused")
    raise RunError("The worker on far has AquaDash 0.1.")


@pytest.fixture
def client() -> Iterator[Client]:
    """Of a cluster of two workers with one slot each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", {})
        patch.setattr(os, "execv", lambda *_: None)
        patch.setattr(os, "chdir", lambda _: None)
        call("cluster", "scheduler")
        collected = dask.config.collect_env(os.environ)["distributed"]["scheduler"]
    with (
        # What the command sets of Dask's scheduler.
        dask.config.set({f"distributed.scheduler.{name}": value for name, value in collected.items()}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, memory_limit=0,
            dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        yield client


@pytest.fixture
def served(client: Client) -> Iterator[Slots]:
    """The slots of that cluster, which are not given out yet."""
    served = Slots(open_jobs(), connected=lambda: client)
    yield served
    served.close()


def _queued(count: int) -> list[str]:
    store = open_store()
    run_ids = [create(store, RunConfig()).run_id for _ in range(count)]
    for run_id in run_ids:
        store.queue(run_id)
    return run_ids


def test_runs_start_in_the_order_of_the_queue_on_any_worker(served: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "take_next", _busy)
    run_ids = _queued(5)
    _may_end.update((run_id, threading.Event()) for run_id in run_ids)
    served.serve()
    assert {_began.get(timeout=30), _began.get(timeout=30)} == set(run_ids[:2])
    assert served.count() == 1, "no cluster is named"
    # The first keeps its worker for long; the others take turns on the second.
    for ended, next_one in zip(run_ids[1:], run_ids[2:], strict=False):
        _may_end[ended].set()
        assert _began.get(timeout=30) == next_one
    for event in _may_end.values():
        event.set()
    wait_for(lambda: {job.status for job in open_jobs().find(kind=KIND)} == {JobStatus.FINISHED})


def test_a_run_that_no_worker_takes_is_offered_again_later(served: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "take_next", _refuses)
    (run_id,) = _queued(1)
    store = open_store()
    served.serve()
    wait_for(lambda: store.get(run_id).message == "The worker on far has AquaDash 0.1.")
    assert store.get(run_id).status is RunStatus.QUEUED
    assert [_began.get(timeout=30) for _ in range(2)] == ["refused", "refused"] and _began.empty()
    _may_end[run_id] = threading.Event()
    _may_end[run_id].set()
    monkeypatch.setattr(slots, "take_next", _busy)
    monkeypatch.setattr(slots, "_REFUSED_SECONDS", 0.0)
    assert _began.get(timeout=30) == run_id
    wait_for(lambda: store.jobs.find(kind=KIND)[0].status is JobStatus.FINISHED)
    assert store.jobs.find(kind=KIND)[0].message == ""


def _check_of(what: str, address: str) -> checks.Check:
    (check,) = (check for check in checks.check_machine(address) if check.what == what)
    return check


def test_store_database_and_home_must_be_those_of_the_cluster(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert "AQUADASH_DATABASE is not set" in _check_of("jobs", address).problem
        assert "a file that no other machine may write to" in _check_of("run store", address).problem
        problems = checks.status(address, named_by="x")["problems"]
        assert sum("AQUADASH_DATABASE is not set" in one for one in problems) == 2, "here, and on the worker"

        monkeypatch.setenv("AQUADASH_DATABASE", f"sqlite:///{tmp_path / 'jobs.db'}")
        monkeypatch.setattr(settings, "store_is_shared", lambda: True)
        found = _check_of("jobs", address)
        assert found.problem == "" and "must be on this machine" in found.note
        assert _check_of("run store", address).problem == ""
        seen = checks.status(address, named_by="--scheduler")
        assert [worker["home"] for worker in seen["workers"]] == [str(home)] and seen["problems"] == []
        assert seen["database"] == f"sqlite:///{tmp_path / 'jobs.db'}"

        about_worker = checks._about_this_worker
        monkeypatch.setattr(checks, "_about_this_worker", lambda: {**about_worker(), "home": "/of/its/own"})
        (problem,) = checks.status(address, named_by="x")["problems"]
        assert f"has the AQUADASH_HOME /of/its/own; here it is {home}. Mount the same folder" in problem


def test_a_store_of_another_home_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{home / 'runs.db'}")
    open_store()
    monkeypatch.setattr(settings, "store_is_shared", lambda: True)
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "another"))
    problem = checks._check_store().problem
    assert f"belongs to file://{home}, and AQUADASH_HOME is {tmp_path / 'another'} here. Mount the app's" in problem


def test_missing_certificates_are_asked_for_as_the_scheduler_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match="wants a certificate, and none is set here"):
        connecting.connect_to("tls://127.0.0.1:1", "--scheduler")
    monkeypatch.setattr(os, "execv", lambda *_: None)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "environ", {**os.environ})
    for encrypted, scheme in ((False, "tcp"), (True, "tls")):
        with dask.config.set({"distributed.comm.require-encryption": encrypted}):
            said = call("cluster", "scheduler", "--host", "10.0.0.1").stdout
        assert said == f"Workers and the app reach this scheduler as {scheme}://10.0.0.1:8786\n"
