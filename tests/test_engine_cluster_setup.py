"""Setting up a cluster: what would be started and what is said to be wrong, and runs that no worker can take."""

from __future__ import annotations

import email.utils
import http.server
import os
import queue
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import pytest
from aquadash.engine.keeper import Keeper
from aquadash.engine.tickets import Ticket
from distributed import Client, LocalCluster
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker
from filelock import FileLock

from aquadash import settings
from aquadash.config import RunConfig
from aquadash.engine import cluster_checks, connecting, tickets
from aquadash.engine.cluster_worker import ClusterWorker, find_gpus, plan_workers
from aquadash.errors import ConfigError, RunError
from aquadash.runs import RunStatus, open_store
from tests.serving import free_port
from tests.test_cli import call, refusal


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
    assert plain.environment()["CUDA_VISIBLE_DEVICES"] == "-1"
    words = plain.command("tcp://there:1", "10.0.0.2")
    assert "--no-nanny" in words and words[words.index("--nthreads") + 1] == "3" and "--resources" not in words
    assert words[words.index("--host") + 1] == "10.0.0.2"


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
    assert "cannot share" in line and "does not answer" in line
    assert "No scheduler is named" in refusal("cluster", "status")


def test_two_workers_with_one_home_are_one_too_many(home: Path) -> None:
    path = settings.home() / "locks" / "cluster-worker.lock"
    path.parent.mkdir(parents=True)
    with FileLock(path), pytest.raises(ConfigError, match=re.escape(f"Another worker on this machine uses {home}")):
        ClusterWorker("tcp://127.0.0.1:1", plan_workers(name="one", slots=1, gpus="none", port=0)).run()


def test_a_worker_that_says_nothing_is_said_to_be_unreachable_or_set_up_wrongly() -> None:
    reached = cluster_checks._why_silent("far", "tcp://10.0.0.2:8787", CommClosedError("Stream is closed"))
    assert "far does not answer (CommClosedError" in reached and "reach it at tcp://10.0.0.2:8787" in reached
    assert "cannot import AquaDash" in cluster_checks._why_silent("far", "", ModuleNotFoundError("No module"))


_began: queue.SimpleQueue[str] = queue.SimpleQueue()
_may_end: dict[str, threading.Event] = {}


def _busy(run_id: str, ticket: str, version: str) -> str:
    """Stands in for a training."""
    _began.put(run_id)
    _may_end[run_id].wait(60)
    return "finished"


def _scheduler_settings() -> dict[str, Any]:
    """What ``cluster scheduler`` sets of Dask's scheduler."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", {})
        patch.setattr(os, "execv", lambda *_: None)
        patch.setattr(os, "chdir", lambda _: None)
        call("cluster", "scheduler")
        collected = dask.config.collect_env(os.environ)
    return dict(collected["distributed"]["scheduler"])


def test_runs_start_in_the_order_of_the_queue_on_whichever_worker_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "look_after", _busy)
    store = open_store()
    run_ids = [store.create(RunConfig()).run_id for _ in range(5)]
    _may_end.update((run_id, threading.Event()) for run_id in run_ids)
    given_to_dask = {f"distributed.scheduler.{name}": value for name, value in _scheduler_settings().items()}
    with (
        dask.config.set(given_to_dask),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, memory_limit=0,
            dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        given = [Ticket(store, run_id, lambda: client, priority=-place) for place, run_id in enumerate(run_ids)]
        assert {_began.get(timeout=30), _began.get(timeout=30)} == set(run_ids[:2])
        # The first keeps its worker for long; the others take turns on the second.
        for ended, next_one in zip(run_ids[1:], run_ids[2:], strict=False):
            _may_end[ended].set()
            assert _began.get(timeout=30) == next_one
        for event in _may_end.values():
            event.set()
        for ticket in given:
            assert ticket._future is not None
            assert ticket._future.result(timeout=30) == "finished"


def test_certificates_that_are_not_set_are_asked_for_and_the_scheduler_says_when_it_wants_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RunError, match="wants a certificate, and none is set here"):
        connecting.connect_to("tls://127.0.0.1:1", "--scheduler")
    monkeypatch.setattr(os, "execv", lambda *_: None)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "environ", {**os.environ})
    for encrypted, scheme in ((False, "tcp"), (True, "tls")):
        with dask.config.set({"distributed.comm.require-encryption": encrypted}):
            said = call("cluster", "scheduler", "--host", "10.0.0.1").stdout
        assert said == f"Workers and the app reach this scheduler as {scheme}://10.0.0.1:8786\n"


class _OtherTime(http.server.BaseHTTPRequestHandler):
    """Answers with the time of a clock that is a minute slow."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return email.utils.formatdate(time.time() - 60.0, usegmt=True)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = http.server.HTTPServer(("127.0.0.1", 0), _OtherTime)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


def test_a_clock_that_is_a_minute_off_is_a_problem(slow_clock: None) -> None:
    problem = cluster_checks._check_clock().problem
    assert "clock is 60 s ahead of" in problem or "clock is 59 s ahead of" in problem


def _future(status: str, error: Exception | None) -> Any:
    return SimpleNamespace(status=status, done=lambda: True, exception=lambda timeout: error)


def test_a_run_that_no_worker_can_take_fails_and_one_that_was_lost_is_given_again() -> None:
    store = open_store()
    refused, lost, killed, done = (store.create(RunConfig()).run_id for _ in range(4))
    store.set_status(done, RunStatus.STOPPED)
    tickets = {}
    for run_id, error in ((refused, "The worker on far has AquaDash 0.1."), (lost, ""), (killed, ""), (done, "")):
        store.set_ticket(run_id, f"train-{run_id}")
        tickets[run_id] = ticket = Ticket.__new__(Ticket)
        ticket._sender, ticket._error, ticket._future = None, error, None
    tickets[lost]._future = _future("cancelled", None)  # as when the scheduler is gone
    tickets[killed]._future = _future("error", KilledWorker("train", None, 3))
    asked: list[object] = []
    keeper = Keeper(SimpleNamespace(adopt=lambda *, only=None: asked.append(only) or []), store, tickets)
    keeper.close()
    keeper.look()
    assert asked == [[lost, killed]]
    # The cluster may still have the task of the first; the other's has ended, and another must get another name.
    assert store.attendance(lost).ticket == f"train-{lost}" and store.attendance(killed).ticket == ""
    run = store.get(refused)
    assert (run.status, run.message) == (RunStatus.FAILED, "The worker on far has AquaDash 0.1.")
    assert store.get(lost).status is RunStatus.QUEUED
