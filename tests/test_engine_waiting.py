"""Places in the queue and the time until a run starts, worked out from what is at work and what was trained before."""

from __future__ import annotations

from dataclasses import replace

from aquadash.config import with_values
from aquadash.store import Progress, Run, RunStatus
from aquadash.store.cost import STARTING_SECONDS
from aquadash.work.waiting import waiting_times
from tests.lessons import SHORT

NOW = 1_000.0
TEN = with_values(SHORT, {"training.epochs": 10})


def run(name: str, status: RunStatus = RunStatus.QUEUED, **values: object) -> Run:
    return replace(Run(name * 32, name, status, TEN, 0.0), **values)


def finished(name: str, seconds: float, epochs: float, **values: object) -> Run:
    metrics = {"seconds": seconds, "epochs": epochs}
    return run(name, RunStatus.FINISHED, metrics=metrics, ended_at=1.0, **values)


def at_work(name: str, eta: float | None, *, ago: float = 0.0) -> Run:
    return run(
        name, RunStatus.RUNNING, started_at=NOW - 5, progress=Progress("training", eta_seconds=eta, time=NOW - ago)
    )  # fmt: skip


def seconds(runs: list[Run], *, slots: int = 1) -> list[tuple[int, float | None]]:
    return [(one.rank, one.seconds) for one in waiting_times(runs, slots=slots, now=NOW).values()]


def test_a_free_slot_takes_the_next_at_once_and_the_others_wait_for_it() -> None:
    known = finished("a", 20, 10)
    assert waiting_times([known, at_work("b", 9)], slots=1, now=NOW) == {}
    runs = [known, run("b", rank=2), run("c", rank=1), run("d", rank=3)]
    assert list(waiting_times(runs, slots=1, now=NOW)) == ["c" * 32, "b" * 32, "d" * 32]
    each = STARTING_SECONDS + 10 * 2.0
    assert seconds(runs) == [(1, 0.0), (2, each), (3, 2 * each)]
    assert seconds(runs, slots=2) == [(1, 0.0), (2, 0.0), (3, each)]


def test_what_is_at_work_says_how_long_it_still_takes() -> None:
    runs = [at_work("a", 50.0, ago=4.0), at_work("b", 30.0), run("c", rank=1), run("d", rank=2)]
    assert seconds(runs, slots=2)[0] == (1, 30.0)
    assert seconds(runs, slots=2)[1] == (2, 46.0), "a says so since four seconds"


def test_a_run_that_has_only_begun_takes_as_long_as_its_kind() -> None:
    runs = [finished("a", 20, 10), at_work("b", None), run("c")]
    assert seconds(runs) == [(1, STARTING_SECONDS + 20.0 - 5.0)]


def test_a_run_of_many_epochs_at_work_has_those_behind_it_that_it_says() -> None:
    many = with_values(SHORT, {"training.epochs": 200})
    began = {"config": many, "started_at": NOW, "curve": tuple([0.5] * 60)}
    at_150 = run("a", RunStatus.RUNNING, progress=Progress("training", epoch=151, epochs=200, time=NOW), **began)
    known = finished("b", 400, 200, config=many)
    assert seconds([known, at_150, run("c")]) == [(1, STARTING_SECONDS + 50 * 2.0)]


def test_a_resumed_run_has_fewer_epochs_before_it() -> None:
    begun = run("b", rank=1, started_at=1.0, curve=(0.1,) * 7)
    assert seconds([finished("a", 20, 10), begun, run("c", rank=2)])[1] == (2, STARTING_SECONDS + 3 * 2.0)


def test_behind_what_nobody_can_time_or_while_the_queue_is_held_there_is_no_time() -> None:
    runs = [at_work("a", 30.0), run("b", rank=1), run("c", rank=2)]
    assert seconds(runs) == [(1, 30.0), (2, None)]
    assert seconds([at_work("a", None), run("b")]) == [(1, None)]
    known = finished("z", 20, 10)
    for overdue in (at_work("a", 0.0), at_work("a", 3.0, ago=60.0)):
        assert seconds([known, overdue, run("b", rank=1)]) == [(1, None)], "it leaves no slot free yet"
        assert seconds([known, overdue, run("b", rank=1), run("c", rank=2)], slots=2)[0] == (1, 0.0)
    held = waiting_times([known, run("a")], slots=1, paused=True, now=NOW)
    assert [(one.rank, one.seconds) for one in held.values()] == [(1, None)]
