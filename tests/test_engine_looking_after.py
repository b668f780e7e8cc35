"""What a slot of a cluster does with a run, without a cluster: its training processes are stand-ins that die."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from aquadash.runs.claims import MOST_LOSSES, Attendance
from distributed import Reschedule

from aquadash import __version__
from aquadash.config import RunConfig
from aquadash.engine import looking_after
from aquadash.errors import RunError
from aquadash.runs import Progress, RunStatus, RunStore, Worker, open_store

THERE = Worker("there", 7)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.on_sleep: Callable[[], object] = lambda: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.on_sleep()


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(tmp_path_factory.mktemp("home")))
        return open_store()


@pytest.fixture
def store(shared_store: RunStore, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    monkeypatch.setattr(looking_after, "open_store", lambda: shared_store)
    return shared_store


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(looking_after, "time", clock)
    return clock


@pytest.fixture
def run_id(store: RunStore) -> str:
    run_id = store.create(RunConfig()).run_id
    store.set_ticket(run_id, "mine")
    return run_id


def trains_by(
    monkeypatch: pytest.MonkeyPatch, code: str, begin: Callable[[str, int], object] = lambda run_id, pid: None
) -> None:
    """Let a Python script be the training process, after what it is to have written."""

    def start(arguments: Sequence[str], *, log_path: Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", code])
        begin(arguments[1], process.pid)
        return process

    monkeypatch.setattr(looking_after, "start_detached", start)
    # The stand-ins are real processes, which take real time.
    monkeypatch.setattr(looking_after, "_POLL_SECONDS", 0.0)


def test_a_run_that_kills_three_workers_fails_and_says_so(
    store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trains_by(
        monkeypatch,
        "import os; os.kill(os.getpid(), 9)",
        lambda run_id, pid: store.start(run_id, Worker(socket.gethostname(), pid)),
    )
    for _ in range(MOST_LOSSES):
        assert store.get(run_id).status is RunStatus.QUEUED
        # Any worker of the cluster may go on.
        with pytest.raises(Reschedule):
            looking_after.look_after(run_id, "mine", __version__)
    run = store.get(run_id)
    assert run.status is RunStatus.FAILED
    assert "3 workers in a row were lost" in run.message and "signal SIGKILL" in run.message
    assert looking_after.look_after(run_id, "mine", __version__) == "failed"


def test_a_training_that_cannot_start_counts_as_lost(
    store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trains_by(monkeypatch, "raise SystemExit(3)")
    with pytest.raises(Reschedule):
        looking_after.look_after(run_id, "mine", __version__)
    run = store.get(run_id)
    assert run.status is RunStatus.QUEUED and "could not start (exit status 3" in run.message


def test_a_training_elsewhere_is_watched_as_long_as_it_gives_signs_of_life(
    store: RunStore, run_id: str, clock: Clock
) -> None:
    store.start(run_id, THERE)

    def live() -> None:
        if clock.now < 60:
            # Its clock is an hour slow, which does not matter.
            store.heartbeat(run_id, Progress("training", batch=int(clock.now), time=clock.now))
        else:
            store.set_status(run_id, RunStatus.FINISHED)

    clock.on_sleep = live
    assert looking_after.look_after(run_id, "mine", __version__) == "finished"


def test_a_silent_training_is_taken_over(
    store: RunStore, run_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.start(run_id, THERE)
    taken: list[float] = []

    def train(store: RunStore, run_id: str) -> bool:
        taken.append(clock.now)
        store.set_status(run_id, RunStatus.FINISHED)
        return False

    monkeypatch.setattr(looking_after, "_train_here", train)
    assert looking_after.look_after(run_id, "mine", __version__) == "finished"
    assert len(taken) == 1 and looking_after.SILENCE_SECONDS < taken[0] < looking_after.SILENCE_SECONDS + 3


def test_a_training_is_not_given_up_for_signs_that_an_absent_store_could_not_take(
    store: RunStore, run_id: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.start(run_id, THERE)
    attendance, asked = store.attendance, 0

    def slow(run_id: str) -> Attendance:
        nonlocal asked
        asked += 1
        clock.now += 20.0 if asked == 5 else 0.0
        return attendance(run_id)

    def live() -> None:
        # The training comes through again a while after the watcher.
        if asked > 10:
            store.set_status(run_id, RunStatus.FINISHED)

    monkeypatch.setattr(store, "attendance", slow)
    monkeypatch.setattr(looking_after, "_hand_over", lambda *_: pytest.fail("taken over"))
    clock.on_sleep = live
    assert looking_after.look_after(run_id, "mine", __version__) == "finished"


def test_a_task_that_is_not_wanted_any_more_lets_go(store: RunStore, run_id: str) -> None:
    store.set_ticket(run_id, "another")
    assert looking_after.look_after(run_id, "mine", __version__) == "another task looks after it"
    assert store.get(run_id).status is RunStatus.QUEUED


def test_a_machine_that_is_set_up_wrongly_says_what_is_wrong(store: RunStore, run_id: str) -> None:
    with pytest.raises(RunError, match=rf"has AquaDash {__version__}, and the app has 0\.0\.1"):
        looking_after.look_after(run_id, "mine", "0.0.1")
    with pytest.raises(RunError, match="MLFLOW_TRACKING_URI of the app"):
        looking_after.look_after("0" * 32, "mine", __version__)
