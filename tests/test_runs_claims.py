"""Who may train a run, when the store cannot test and set."""

from __future__ import annotations

import time

import pytest
from aquadash.runs.claims import CLAIM_SECONDS, RunTakenError
from aquadash.training.heartbeat import Heartbeat

from aquadash.config import RunConfig
from aquadash.errors import UnknownNameError
from aquadash.runs import EpochRecord, Progress, RunStatus, RunStore, Worker, open_store
from aquadash.runs.tags import read_run

HERE, THERE = Worker("here", 1), Worker("there", 1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AQUADASH_HOME", str(tmp_path_factory.mktemp("home")))
        return open_store()


@pytest.fixture
def run_id(store: RunStore) -> str:
    return store.create(RunConfig()).run_id


def test_of_two_that_write_at_once_the_last_has_the_run(store: RunStore, run_id: str) -> None:
    def the_other_has_read_before_and_writes_now(seconds: float) -> None:
        assert seconds == CLAIM_SECONDS
        store._set(run_id, "", {"aquadash.claim": "another"})

    assert not store.claim(run_id, pause=the_other_has_read_before_and_writes_now)
    # The other's claim stands, and nobody begins: its process has died.
    pauses: list[float] = []
    assert store.claim(run_id, pause=pauses.append)
    assert pauses == [4 * CLAIM_SECONDS, CLAIM_SECONDS]


def test_whoever_comes_while_another_claims_leaves_it_the_run(store: RunStore, run_id: str) -> None:
    def the_other_begins(seconds: float) -> None:
        store.start(run_id, THERE)

    store._set(run_id, "", {"aquadash.claim": "another"})
    assert not store.claim(run_id, pause=the_other_begins)
    assert store.attendance(run_id).worker == THERE
    store.check_owner(run_id, THERE)


def test_a_run_that_is_not_queued_cannot_be_claimed(store: RunStore, run_id: str) -> None:
    store.start(run_id, THERE)
    assert not store.claim(run_id, pause=lambda seconds: pytest.fail("nothing to wait for"))


def test_a_worker_whose_run_was_taken_writes_nothing_more(store: RunStore, run_id: str) -> None:
    store.start(run_id, HERE)
    assert store.heartbeat(run_id, Progress("training"), worker=HERE) is False
    store.hand_over(run_id, "The worker here was lost", most=3)
    # Nobody's, until the next one begins.
    with pytest.raises(RunTakenError, match="another worker's"):
        store.check_owner(run_id, HERE)
    store.start(run_id, THERE)
    store.heartbeat(run_id, Progress("training", epoch=7), worker=THERE, log_tail="there")
    with pytest.raises(RunTakenError, match="another worker's"):
        store.check_owner(run_id, HERE)
    with pytest.raises(RunTakenError):
        store.heartbeat(run_id, Progress("training", epoch=3), worker=HERE, log_tail="here")
    run = store.get(run_id)
    assert run.progress is not None and (run.progress.epoch, run.log_tail) == (7, "there")

    class Mine:
        def heartbeat(self, run_id: str, progress: Progress, *, log_tail: str | None = None) -> bool:
            return store.heartbeat(run_id, progress, log_tail=log_tail, worker=HERE)

    heartbeat = Heartbeat(Mine(), run_id, interval=0.01)
    heartbeat._beat_until_end()
    with pytest.raises(RunTakenError):
        heartbeat.tell(Progress("training"))


def test_handing_over_keeps_the_place_in_the_queue_and_ends_after_too_many_losses(store: RunStore, run_id: str) -> None:
    queued_at = store.get(run_id).queued_at
    for losses in (1, 2):
        store.start(run_id, HERE)
        assert store.hand_over(run_id, "The worker here was lost", most=3) == losses
        run = store.get(run_id)
        assert (run.status, run.queued_at) == (RunStatus.QUEUED, queued_at)
        assert run.message == "The worker here was lost; another one goes on from the last complete epoch."
    # A person who shuts a machine down costs nothing.
    assert store.hand_over(run_id, "The worker here was shut down", most=None) == 2
    store.start(run_id, HERE)
    assert store.hand_over(run_id, "The worker here was lost", most=3) == 3
    run = store.get(run_id)
    assert run.status is RunStatus.FAILED and "3 workers in a row were lost" in run.message
    # Losses with a complete epoch between them are not in a row.
    store.requeue(run_id)
    for epoch in range(1, 5):
        store.start(run_id, HERE)
        assert store.hand_over(run_id, "The worker here was lost", most=3) == 1
        store.start(run_id, HERE)
        store.log_epoch(run_id, EpochRecord(epoch, 1.0, 0.5, 1.0, 0.5, 0.001, 2.0), curve=[0.5])
    assert [store.hand_over(run_id, "The worker here was lost", most=3) for _ in range(3)] == [1, 2, 3]
    # Whoever resumes it has mended the cause: the count begins anew.
    store.requeue(run_id)
    store.start(run_id, HERE)
    assert store.hand_over(run_id, "The worker here was lost", most=3) == 1


def test_a_run_that_was_asked_to_stop_is_not_trained_on(store: RunStore, run_id: str) -> None:
    store.start(run_id, HERE)
    store.request_stop(run_id)
    store.hand_over(run_id, "The worker here was lost", most=3)
    run = store.get(run_id)
    assert run.status is RunStatus.STOPPED and "was lost after the run was asked to stop" in run.message


def test_a_run_of_another_store_is_not_found(store: RunStore) -> None:
    with pytest.raises(UnknownNameError):
        store.attendance("0" * 32)


def test_a_silent_run_of_a_cluster_is_not_given_up_before_another_worker_goes_on(store: RunStore, run_id: str) -> None:
    """Pages look at what runs, and no more at what has ended."""
    now = time.time()
    tags = store._tags(run_id) | {"aquadash.status": "running", "aquadash.started_at": repr(now - 30.0)}
    for ticket, seen in (("", RunStatus.INTERRUPTED), ("train-1", RunStatus.RUNNING)):
        run = read_run(run_id, tags | {"aquadash.ticket": ticket}, deleted=False, now=now)
        assert run is not None and run.status is seen
    late = read_run(run_id, tags | {"aquadash.ticket": "train-1"}, deleted=False, now=now + 60.0)
    assert late is not None and late.status is RunStatus.INTERRUPTED
