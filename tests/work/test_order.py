"""The order of the queue: fair by default, changed by the teacher, paused on request."""

import pytest

from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.errors import NotAllowedError, RunError
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.store import Job, Run, RunStatus, RunStore
from aquadash.store.runs import KIND
from aquadash.work.queue import Engine
from aquadash.work.slots import Slots
from tests.support import job_rows, live_runs
from tests.support.lessons import ANNA, BEN, SHORT, TEACHER
from tests.support.waiting import wait_for


@pytest.fixture
def engine(store: RunStore) -> Engine:
    """It queues; what starts next is taken by the tests."""
    return Engine(store, serving=False)


@pytest.fixture
def in_class(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    limits.save(ClassLimits(waiting_runs=3))


def ask(engine: Engine, person: Person, name: str) -> Run:
    return engine.submit(SHORT, name=name, owner=person)


def start_next(store: RunStore) -> Job:
    """Let a worker claim the next job, which never counts as lost."""
    job = job_rows.claim(KIND)
    job_rows.never_expire(job)
    return job


def asked(engine: Engine, store: RunStore, *names: str) -> list[Run]:
    """Runs of the owner of the machine: the first is at work, the others wait."""
    runs = [ask(engine, OWNER, name) for name in names]
    assert start_next(store).run == runs[0].run_id
    return runs


def order(store: RunStore, *, claimed: bool = True) -> list[str]:
    """Return the names of the waiting runs in their order, as they start or as they are ranked."""
    waiting = list(store.ranks())
    return [store.get(start_next(store).run if claimed else run_id).name for run_id in waiting]


def test_a_run_that_was_moved_starts_at_its_new_place(engine: Engine, store: RunStore) -> None:
    runs = asked(engine, store, "a", "b", "c", "d", "e")
    assert [store.ranks().get(run.run_id) for run in runs] == [None, 1, 2, 3, 4]
    _, b, c, d, e = runs
    assert Lab(OWNER).runs.move(d.run_id, 1) == [each.run_id for each in (d, b, c, e)]
    assert Lab(OWNER).runs.move(e.run_id, 1) == [each.run_id for each in (e, d, b, c)]
    assert Lab(OWNER).runs.move(b.run_id, 99)[-1] == b.run_id
    assert [store.ranks().get(run.run_id) for run in runs] == [None, 4, 3, 2, 1]
    store.request_stop(d.run_id)
    assert order(store) == ["e", "c", "b"], "the runs after a stopped one move up"


def test_what_does_not_wait_cannot_be_moved(engine: Engine, store: RunStore) -> None:
    a, b = asked(engine, store, "a", "b")
    with pytest.raises(RunError, match="a does not wait: it is running"):
        Lab(OWNER).runs.move(a.run_id, 1)
    with pytest.raises(RunError, match="expected 1 for the run that starts next"):
        Lab(OWNER).runs.move(b.run_id, 0)
    assert store.ranks() == {b.run_id: 1}


@pytest.mark.usefixtures("in_class")
def test_the_queue_waits_while_it_is_held(engine: Engine, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    job_rows.carry_out_by(monkeypatch, lambda jobs, job, **_: started.append(store.get(job.run).name))
    served = Slots(lambda: store.jobs)
    asked(engine, store, "a", "b")
    limits.save(ClassLimits(paused=True))
    Lab(OWNER).runs.move(ask(engine, ANNA, "c").run_id, 1)
    assert [(one.rank, one.seconds) for one in Lab(OWNER).runs.waiting().values()] == [(1, None), (2, None)]
    monkeypatch.setenv("AQUADASH_SLOTS", "3")
    served.look()
    assert order(store, claimed=False) == ["c", "b"] and started == []
    limits.save(ClassLimits())
    served.look()
    assert store.ranks() == {}
    wait_for(lambda: sorted(started) == ["b", "c"])


@pytest.mark.usefixtures("in_class")
def test_no_student_exceeds_the_limit(engine: Engine, store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.start_no_process(monkeypatch)
    asked(engine, store, "at work")
    Lab(TEACHER).people.set_limits(ClassLimits(waiting_runs=2))
    anna, ben = Lab(ANNA).runs, Lab(BEN).runs
    first, second = anna.train(SHORT, name="a1"), anna.train(SHORT, name="a2")
    ben.train(SHORT, name="b1")
    count = len(store.list_runs())
    with pytest.raises(NotAllowedError, match="You have 2 runs waiting; at most 2 may wait"):
        anna.train(SHORT)
    with pytest.raises(NotAllowedError, match="1 run waiting, and this would add 2"):
        ben.train_pair(SHORT, "notebook-1")
    assert len(store.list_runs()) == count
    anna.stop(second.run_id)
    anna.train(SHORT, name="a3")
    with pytest.raises(NotAllowedError, match="2 runs waiting"):
        anna.resume(second.run_id)
    assert store.get(second.run_id).status is RunStatus.STOPPED
    Lab(TEACHER).runs.train(SHORT, name="without limits")
    assert store.get(first.run_id).owner == ANNA.person_id


@pytest.mark.usefixtures("in_class")
def test_a_run_belongs_to_whoever_asked_for_it(engine: Engine, store: RunStore) -> None:
    run = ask(engine, ANNA, "a")
    assert (run.owner, run.owner_name, run.shared) == (ANNA.person_id, "Anna", False)
    live_runs.end(store, start_next(store), RunStatus.FINISHED)
    again = engine.submit(run.config, repeats=run.run_id, owner=BEN)
    assert (again.owner, again.hidden, again.search_id) == (BEN.person_id, False, "")
    of_search = engine.submit(SHORT, search_id="c" * 32, owner=TEACHER, hidden=True)
    assert (of_search.owner, of_search.shared, of_search.hidden) == (TEACHER.person_id, True, True)
    store.request_stop(again.run_id)
    assert engine.resume(again.run_id).owner == BEN.person_id, "a run that the teacher resumes keeps its owner"
