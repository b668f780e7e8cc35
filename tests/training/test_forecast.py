"""The cost of a run, and forecasts from earlier runs: the seconds of an epoch, and the start of queued runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from aquadash.config import with_values
from aquadash.store import EpochRecord, Progress, Run, RunStatus, RunStore
from aquadash.training.forecast import STARTING_SECONDS, Paces, cost_of, network_size, waiting_times
from tests.support.lessons import SHORT
from tests.support.runs import make_run
from tests.support.weights_files import keras_file

NOW = 1_000.0
TEN = with_values(SHORT, {"training.epochs": 10})


def run(name: str, status: RunStatus = RunStatus.QUEUED, **values: object) -> Run:
    return replace(Run(name * 32, name, status, TEN, 0.0), **values)


def finished(seconds: float, epochs: float = 10, *, of: object = None, **values: object) -> Run:
    """A run that took so many seconds in all, with settings that differ from those of ``TEN``."""
    values = {"ended_at": 1.0, "metrics": {"seconds": seconds, "epochs": epochs}} | values
    return replace(run("f", RunStatus.FINISHED, config=with_values(TEN, of or {})), **values)


def pace(*runs: Run, of: object = None) -> float | None:
    return Paces(runs).seconds_per_epoch(with_values(TEN, of or {}))


def test_the_pace_is_the_median_of_earlier_runs_with_the_same_network_and_images() -> None:
    known = [finished(each) for each in (10, 300, 20)]
    assert pace(*known) == 2.0
    assert pace(*known, of={"data.source": "cifar100"}) is None
    assert pace(*known, of={"model.name": "backbone"}) is None
    own = {"model.name": "cnn", "model.filters": (8,)}
    without_effect = {"training.epochs": 3, "training.learning_rate": 0.5, "seed": 9, "model.dropout": 0.1}
    assert pace(finished(20, of=own), of=own | without_effect) == pace(finished(20, of=own), of=own) == 2.0
    assert pace(finished(20, of=own), of=own | {"model.filters": (256, 256)}) is None


@pytest.mark.parametrize(
    ("earlier", "config", "expected"), [("notebook", "none", 1.0), ("none", "notebook", 25.0), ("deleted", "none", 5.0)]
)
def test_the_pace_grows_with_the_augmented_copies_and_a_deleted_pipeline_counts_as_one_copy(
    earlier: str, config: str, expected: float
) -> None:
    known = finished(50, of={"augmentation.pipeline": earlier})
    assert pace(known, of={"augmentation.pipeline": config}) == pytest.approx(expected)


def test_epochs_of_a_new_head_alone_take_nearly_no_time() -> None:
    of = {"model.name": "backbone", "model.fine_tuning": "top", "training.head_epochs": 5, "training.epochs": 20}
    whole = pace(finished(50, of=of), of=of) * 20
    assert whole == pytest.approx(150), "15 epochs of the whole network, of which 5 took 50 seconds"


def test_runs_without_a_usable_time_give_no_pace() -> None:
    imported, running = finished(100, origin="imported"), finished(100, status=RunStatus.RUNNING)
    for useless in ((), (imported,), (running,), (finished(0),), (finished(100, 0),)):
        assert pace(*useless) is None


def at_work(name: str, eta: float | None, *, ago: float = 0.0) -> Run:
    progress = Progress("training", eta_seconds=eta, time=NOW - ago)
    return run(name, RunStatus.RUNNING, started_at=NOW - 5, progress=progress)


def seconds(runs: list[Run], *, slots: int = 1) -> list[tuple[int, float | None]]:
    return [(one.rank, one.seconds) for one in waiting_times(runs, slots=slots, now=NOW).values()]


def test_a_free_slot_takes_the_next_at_once_and_the_others_wait_for_it() -> None:
    known = finished(20)
    assert waiting_times([known, at_work("b", 9)], slots=1, now=NOW) == {}
    runs = [known, run("b", rank=2), run("c", rank=1), run("d", rank=3)]
    assert list(waiting_times(runs, slots=1, now=NOW)) == ["c" * 32, "b" * 32, "d" * 32]
    each = STARTING_SECONDS + 10 * 2.0
    assert seconds(runs) == [(1, 0.0), (2, each), (3, 2 * each)]
    assert seconds(runs, slots=2) == [(1, 0.0), (2, 0.0), (3, each)]


def test_a_running_run_takes_as_long_as_it_reports_or_as_earlier_runs_took_and_a_resumed_one_less() -> None:
    runs = [at_work("a", 50.0, ago=4.0), at_work("b", 30.0), run("c", rank=1), run("d", rank=2)]
    assert seconds(runs, slots=2) == [(1, 30.0), (2, 46.0)], "the report of a is four seconds old"
    assert seconds([finished(20), at_work("b", None), run("c")]) == [(1, STARTING_SECONDS + 20.0 - 5.0)]
    many = with_values(TEN, {"training.epochs": 200})
    began = {"config": many, "started_at": NOW, "curve": tuple([0.5] * 60)}
    at_150 = run("a", RunStatus.RUNNING, progress=Progress("training", epoch=151, epochs=200, time=NOW), **began)
    known = finished(400, 200, config=many)
    assert seconds([known, at_150, run("c")]) == [(1, STARTING_SECONDS + 50 * 2.0)]
    begun = run("b", rank=1, started_at=1.0, curve=(0.1,) * 7)
    assert seconds([finished(20), begun, run("c", rank=2)])[1] == (2, STARTING_SECONDS + 3 * 2.0)


def test_the_start_is_unknown_behind_unknown_times_and_while_the_queue_is_paused() -> None:
    runs = [at_work("a", 30.0), run("b", rank=1), run("c", rank=2)]
    assert seconds(runs) == [(1, 30.0), (2, None)]
    assert seconds([at_work("a", None), run("b")]) == [(1, None)]
    known = finished(20)
    for overdue in (at_work("a", 0.0), at_work("a", 3.0, ago=60.0)):
        assert seconds([known, overdue, run("b", rank=1)]) == [(1, None)], "it leaves no slot free yet"
        assert seconds([known, overdue, run("b", rank=1), run("c", rank=2)], slots=2)[0] == (1, 0.0)
    held = waiting_times([known, run("a")], slots=1, paused=True, now=NOW)
    assert [(one.rank, one.seconds) for one in held.values()] == [(1, None)]


def test_time_is_summed_and_the_first_epochs_compiling_does_not_count(store: RunStore, tmp_path: Path) -> None:
    history = [EpochRecord(epoch, 1.0, 0.5, 1.0, 0.5, 0.01, 9.0 if epoch == 1 else 2.0) for epoch in (1, 2, 3)]
    run = make_run(store, "a")
    cost = cost_of(history, network_size(store, run.run_id))
    assert (cost.epochs, cost.seconds, cost.seconds_per_epoch) == (3, 13.0, 2.0)
    assert cost.parameters is None and cost.megabytes is None
    store.add_artifact(run.run_id, keras_file(tmp_path / "model.keras", 1000))
    cost = cost_of([], network_size(store, run.run_id))
    assert cost.parameters == 1000 and cost.megabytes and cost.seconds is None
