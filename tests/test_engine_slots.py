"""What a slot does with the next job, and what is kept of those whose workers were lost; its workers are stand-ins."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from aquadash.store.old_tags import STATUS

from aquadash import __version__, settings
from aquadash.config import RunConfig
from aquadash.errors import RunError, StorageError
from aquadash.store import Job, JobStatus, RunStatus, RunStore, Worker, open_jobs
from aquadash.store.artifacts import LOG
from aquadash.store.job_types import job_id
from aquadash.store.kinds import KINDS
from aquadash.store.runs import KIND
from aquadash.work import slots
from aquadash.work.slots import Slots
from aquadash.work.worker import free_slot
from tests.live_runs import job_of
from tests.made_runs import create, start
from tests.waiting import wait_for


@pytest.fixture
def run_id(store: RunStore) -> str:
    """A run that waits."""
    return add(store)


def take_next(
    store: RunStore, *, version: str = __version__, database: str = "", ends: Callable[[], bool] = lambda: False
) -> str:
    """What Dask does in a slot, in this thread."""
    return slots.take_next(KIND, version, database or store.jobs.identity(), slot_ends=ends)


def add(store: RunStore) -> str:
    run_id = create(store, RunConfig()).run_id
    store.queue(run_id)
    return run_id


def write_log(run_id: str, text: str) -> None:
    log = settings.job_log(job_id(KIND, run_id))
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(text)


class Workers:
    """In the place of what launches workers: each does what a test lets it do, and then has ended, or goes on."""

    def __init__(self, exit_status: int | None = 0, *, do: Callable[[int], object] = lambda pid: None) -> None:
        self.launched: list[list[str]] = []
        self._exit_status, self._do = exit_status, do

    def launch(self, arguments: Sequence[str], *, log_path: Path) -> SimpleNamespace:
        self.launched.append(list(arguments))
        pid = len(self.launched)
        self._do(pid)
        return SimpleNamespace(pid=pid, wait=lambda timeout: self._exit_status)


def launched_by(monkeypatch: pytest.MonkeyPatch, workers: Workers) -> Workers:
    monkeypatch.setattr(slots, "STANDBY", workers)
    return workers


def claiming(store: RunStore) -> Callable[[int], Job]:
    """What a worker does first."""
    return lambda pid: store.jobs.claim([KIND], Worker(socket.gethostname(), pid))


def finishing(store: RunStore) -> Callable[[int], None]:
    """What a worker does in all."""
    return lambda pid: store.jobs.end(claiming(store)(pid), JobStatus.FINISHED)


def test_a_worker_takes_one_job_in_a_free_slot(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = launched_by(monkeypatch, Workers(do=finishing(store)))
    taken = free_slot(KINDS[KIND])
    # The teacher may pause the queue before the other one ends.
    assert take_next(store) == "nothing to do" and workers.launched == []
    taken.release()
    assert take_next(store) == "done" and job_of(run_id).status is JobStatus.FINISHED
    assert take_next(store) == "nothing to do", "no process is started for nothing"
    assert workers.launched == [[KIND, "--once"]]


def test_what_needs_another_machine_starts_no_worker_here(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.queue(create(store, RunConfig()).run_id, needs="gpu")
    workers = launched_by(monkeypatch, Workers(do=claiming(store)))
    assert take_next(store) == "nothing to do" and workers.launched == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert take_next(store) == "done" and len(workers.launched) == 1


def test_jobs_for_other_machines_are_looked_at_rarely(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_LOOK_SECONDS", 3600)
    store.queue(create(store, RunConfig()).run_id, needs="gpu")
    looks: list[object] = []
    monkeypatch.setattr(store.jobs, "waiting", lambda kinds, **_: kinds == [KIND] and bool(looks.append(kinds)))
    served = Slots(open_jobs())
    try:
        for count in (1, 2):
            served.serve()
            wait_for(lambda: len(looks) >= count and all(task.done() for task in served._tasks))  # noqa: B023
            assert len(looks) == count, "a slot that finds nothing asks for no other"
    finally:
        served.close()


def test_a_machine_that_is_set_up_wrongly_says_so(store: RunStore, run_id: str) -> None:
    with pytest.raises(RunError, match=rf"has AquaDash {__version__}, and the app has 0\.0\.1"):
        take_next(store, version="0.0.1")
    with pytest.raises(RunError, match="in another database than the app. Give both the same AQUADASH_DATABASE"):
        take_next(store, database="of another")
    assert store.get(run_id).status is RunStatus.QUEUED


def test_no_worker_starts_without_the_run_store(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> RunStore:
        raise StorageError("Could not open the run store: no answer")

    workers = launched_by(monkeypatch, Workers(do=claiming(store)))
    monkeypatch.setattr(slots, "open_store", away)
    monkeypatch.setattr(settings, "store_is_shared", lambda: True)
    with pytest.raises(StorageError, match="no answer"):
        take_next(store)
    assert workers.launched == [] and job_of(run_id).worker_failures == 0


def test_a_run_that_kills_three_workers_fails(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(run_id, "the last words\n")
    launched_by(monkeypatch, Workers(-signal.SIGKILL, do=claiming(store)))
    served = Slots(open_jobs())
    for worker_failures in range(3):
        job = job_of(run_id)
        assert (job.status, job.worker_failures) == (JobStatus.QUEUED, worker_failures)
        assert take_next(store) == "done"
        assert store.get(run_id).message.count("signal SIGKILL") == 1
    assert store.ended_as(run_id) is None, "the worker could not write it"
    monkeypatch.setattr(store.jobs, "queue", lambda kind: [])
    served.look()
    assert store.ended_as(run_id) is RunStatus.FAILED and store.log(run_id) == "the last words\n"
    run = store.get(run_id)
    assert run.status is RunStatus.FAILED and run.message.startswith("3 workers in a row were lost with it; at last: ")


def test_a_worker_is_not_started_for_ever(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = launched_by(monkeypatch, Workers(3))
    take_next(store)
    run = store.get(run_id)
    assert run.status is RunStatus.QUEUED and "could not start (exit status 3; its log is " in run.message
    while take_next(store) != "nothing to do":
        assert len(workers.launched) < 9
    assert store.get(run_id).status is RunStatus.FAILED and len(workers.launched) == 3


def test_a_late_failure_costs_the_next_job_nothing(
    store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = add(store)
    launched_by(monkeypatch, Workers(1, do=finishing(store)))
    take_next(store)
    assert job_of(run_id).status is JobStatus.FINISHED
    assert (job_of(following).worker_failures, job_of(following).attempt) == (0, 0)


def test_a_lost_stopping_worker_leaves_a_stop(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(pid: int) -> None:
        claiming(store)(pid)
        store.request_stop(run_id)

    launched_by(monkeypatch, Workers(1, do=begin))
    take_next(store)
    assert store.get(run_id).status is RunStatus.STOPPED
    Slots(open_jobs()).look()
    assert store.ended_as(run_id) is RunStatus.STOPPED


def test_how_a_job_ended_is_kept_once(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log(run_id, "before\n")
    store.jobs.end(store.jobs.claim([KIND], Worker("here", 1)), JobStatus.FAILED, message="Too little memory.")
    Slots(open_jobs()).look()
    assert (store.ended_as(run_id), store.log(run_id)) == (RunStatus.FAILED, "before\n")
    ended_at = store.get(run_id).ended_at
    # The next app looks at all of them again.
    write_log(run_id, "after\n")
    monkeypatch.setattr(store, "add_text_artifact", lambda *_: pytest.fail("written again"))
    Slots(open_jobs()).look()
    assert store.get(run_id).ended_at == ended_at and LOG in store.artifact_names(run_id)


def test_a_run_taken_up_again_keeps_its_worker(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store.jobs.end(store.jobs.claim([KIND], Worker("here", 1)), JobStatus.INTERRUPTED)
    jobs = open_jobs()
    changes = jobs.changes(0)
    store.queue(run_id)
    there = store.jobs.claim([KIND], Worker("here", 2))
    start(store, run_id, there.worker)
    monkeypatch.setattr(jobs, "changes", lambda revision: changes)
    Slots(jobs).look()
    assert store.ended_as(run_id) is None


def test_a_run_that_was_deleted_before_its_end_was_kept_holds_nobody_up(store: RunStore, run_id: str) -> None:
    job = store.jobs.claim([KIND], Worker("here", 1))
    start(store, run_id, Worker("here", 1))
    store.jobs.end(job, JobStatus.FAILED, message="Three workers were lost.")
    store.delete(run_id)
    Slots(open_jobs()).look()
    store.restore(run_id)
    assert (store.get(run_id).status, store.get(run_id).message) == (RunStatus.FAILED, "Three workers were lost.")


def test_a_run_whose_record_is_damaged_holds_nobody_up(store: RunStore, run_id: str) -> None:
    store.request_stop(run_id)
    store.client.set_tag(run_id, STATUS, "pondering")
    Slots(open_jobs()).look()
    assert store.read(run_id).status is RunStatus.UNREADABLE


def test_a_closed_slot_leaves_its_worker_alone(store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    launched_by(monkeypatch, Workers(None, do=claiming(store)))
    assert take_next(store, ends=lambda: True) == "left running"
    assert job_of(run_id).status is JobStatus.RUNNING


def test_a_queue_that_cannot_be_looked_after_is_said_once_and_tried_again(
    store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []

    def away() -> None:
        tries.append(1)
        raise RunError("The scheduler does not answer.")

    monkeypatch.setattr(slots, "_LOOK_SECONDS", 0.01)
    served = Slots(open_jobs(), connected=away)
    served.serve()
    wait_for(lambda: len(tries) > 3)
    served.close()
    assert [record.message for record in caplog.records if "does not answer" in record.message] == [
        "The scheduler does not answer."
    ]
