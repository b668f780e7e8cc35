"""The order of what waits: changed by the teacher, fair by default, held while the class is told something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.config import with_values
from aquadash.engine import Engine
from aquadash.errors import NotAllowedError, RunError
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.runs import Run, RunStatus, RunStore, open_store
from tests.engines import Trainings, engine_of
from tests.lessons import ANNA, BEN, SHORT, TEACHER
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("queue")


@pytest.fixture
def store(shared_home: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """One for all tests of this file: at the end of each nothing waits or is at work."""
    monkeypatch.setenv("AQUADASH_HOME", str(shared_home))
    return open_store()


@pytest.fixture
def queue(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Engine, Trainings]]:
    with engine_of(store, monkeypatch) as (engine, trainings):
        yield engine, trainings


@pytest.fixture
def in_class(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    limits.save(ClassLimits(waiting_runs=3))


def ask(engine: Engine, person: Person, name: str) -> Run:
    return engine.submit(SHORT, name=name, owner=person)


def asked(engine: Engine, trainings: Trainings, *names: str) -> list[Run]:
    """Runs of the owner of the machine: the first is at work, the others wait."""
    runs = [ask(engine, OWNER, name) for name in names]
    trainings.wait(runs[0])
    return runs


def places(engine: Engine, runs: list[Run]) -> list[int | None]:
    return [open_store().ranks().get(run.run_id) for run in runs]


def test_a_run_that_was_moved_starts_at_its_new_place(queue: tuple[Engine, Trainings]) -> None:
    engine, trainings = queue
    runs = asked(engine, trainings, "a", "b", "c", "d", "e")
    assert places(engine, runs) == [None, 1, 2, 3, 4]
    a, b, c, d, e = runs
    assert Lab(OWNER).runs.move(d.run_id, 1) == [each.run_id for each in (d, b, c, e)]
    assert Lab(OWNER).runs.move(e.run_id, 1) == [each.run_id for each in (e, d, b, c)]
    assert Lab(OWNER).runs.move(b.run_id, 99)[-1] == b.run_id
    assert places(engine, runs) == [None, 4, 3, 2, 1]
    trainings.end_all()
    assert trainings.wait(*runs) == ["a", "e", "d", "c", "b"]


def test_what_does_not_wait_cannot_be_moved(queue: tuple[Engine, Trainings]) -> None:
    engine, trainings = queue
    a, b = asked(engine, trainings, "a", "b")
    with pytest.raises(RunError, match="a does not wait: it is running"):
        Lab(OWNER).runs.move(a.run_id, 1)
    with pytest.raises(RunError, match="expected 1 for the run that starts next"):
        Lab(OWNER).runs.move(b.run_id, 0)
    assert places(engine, [a, b]) == [None, 1]


def test_the_app_follows_an_order_that_another_process_has_set(
    queue: tuple[Engine, Trainings], store: RunStore
) -> None:
    engine, trainings = queue
    runs = asked(engine, trainings, "a", "b", "c")
    Lab(OWNER).runs.move(runs[2].run_id, 1)
    trainings.end_all()
    assert trainings.wait(*runs) == ["a", "c", "b"]


def test_a_stopped_run_leaves_its_place_to_the_next(queue: tuple[Engine, Trainings], store: RunStore) -> None:
    engine, trainings = queue
    a, b, c = asked(engine, trainings, "a", "b", "c")
    Lab(OWNER).runs.move(c.run_id, 1)
    store.request_stop(c.run_id)
    trainings.end_all()
    assert trainings.wait(a, b) == ["a", "b"]
    assert store.get(c.run_id).status is RunStatus.STOPPED


@pytest.mark.usefixtures("in_class")
def test_students_take_turns(queue: tuple[Engine, Trainings]) -> None:
    engine, trainings = queue
    asked(engine, trainings, "at work")
    runs = [ask(engine, person, name) for person, name in ((ANNA, "a1"), (ANNA, "a2"), (ANNA, "a3"), (BEN, "b1"))]
    runs += [ask(engine, TEACHER, "t1"), ask(engine, BEN, "b2")]
    trainings.end_all()
    assert trainings.wait(*runs, runs[0]) == ["at work", "a1", "b1", "t1", "a2", "b2", "a3"]


@pytest.mark.usefixtures("in_class")
def test_the_queue_waits_while_it_is_held_and_then_goes_on_in_its_order(
    queue: tuple[Engine, Trainings], store: RunStore
) -> None:
    engine, trainings = queue
    a, b = asked(engine, trainings, "a", "b")
    limits.save(ClassLimits(paused=True))
    c = ask(engine, ANNA, "c")
    trainings.end(a.run_id)
    wait_for(lambda: store.get(a.run_id).status.ended)
    Lab(OWNER).runs.move(c.run_id, 1)
    assert [(one.rank, one.seconds) for one in Lab(OWNER).runs.waiting().values()] == [(1, None), (2, None)]
    assert trainings.wait(a) == ["a"]
    limits.save(ClassLimits())
    engine.serve()
    trainings.end_all()
    assert trainings.wait(a, b, c) == ["a", "c", "b"]


@pytest.mark.usefixtures("in_class")
def test_no_student_has_more_waiting_than_the_limit(
    queue: tuple[Engine, Trainings], store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, trainings = queue
    monkeypatch.setattr("aquadash.engine.open_engine", lambda: engine)
    asked(engine, trainings, "at work")
    Lab(TEACHER).people.set_limits(ClassLimits(waiting_runs=2, epochs=3))
    anna, ben = Lab(ANNA).runs, Lab(BEN).runs
    first, second = anna.train(SHORT, name="a1"), anna.train(SHORT, name="a2")
    ben.train(SHORT, name="b1")
    count = len(store.list_runs())
    with pytest.raises(NotAllowedError, match="You have 2 runs waiting; at most 2 may wait"):
        anna.train(SHORT)
    with pytest.raises(NotAllowedError, match="4 epochs; in this class a run may have 3"):
        anna.train(with_values(SHORT, {"training.epochs": 4}))
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
def test_a_run_belongs_to_whoever_asked_for_it(queue: tuple[Engine, Trainings], store: RunStore) -> None:
    engine, trainings = queue
    run = ask(engine, ANNA, "a")
    assert (run.owner, run.owner_name, run.shared) == (ANNA.person_id, "Anna", False)
    trainings.end(run.run_id)
    wait_for(lambda: store.get(run.run_id).status is RunStatus.FINISHED)
    again = engine.submit(run.config, repeats=run.run_id, owner=BEN)
    pair = engine.submit_pair(SHORT, "notebook-1", owner=BEN)
    assert {each.owner for each in (again, *pair)} == {BEN.person_id}
    of_search = engine.submit(SHORT, search_id="c" * 32, owner=ANNA)
    assert (of_search.owner, of_search.shared) == (ANNA.person_id, False)
    hers = ask(engine, TEACHER, "t")
    assert (hers.owner, hers.shared) == (TEACHER.person_id, True)
    store.request_stop(pair[1].run_id)
    assert engine.resume(pair[1].run_id).owner == BEN.person_id, "the teacher lets it go on"
