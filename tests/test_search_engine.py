"""What a search asks of engine and run store: runs that know their search, and adoption of some runs only."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig
from aquadash.engine import Engine
from aquadash.runs import RunStore, open_store


class Slot:
    """A slot's task that is under way until it is done."""

    finished = False

    def done(self) -> bool:
        return self.finished


@pytest.fixture
def store() -> RunStore:
    return open_store()


@pytest.fixture
def engine(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """It takes runs, and no slot does anything with them."""
    engine = Engine(store)
    monkeypatch.setattr(engine, "_connected", lambda: None)
    monkeypatch.setattr(
        engine,
        "_enqueue",
        lambda run_id, task, *, priority: engine._futures.update({run_id: Slot()}),  # type: ignore[arg-type]
    )
    return engine


def test_a_run_knows_the_search_that_it_is_a_trial_of(store: RunStore, engine: Engine) -> None:
    trial, alone = engine.submit(RunConfig(), search_id="a" * 32), engine.submit(RunConfig())
    assert store.get(trial.run_id).search_id == "a" * 32
    assert store.get(alone.run_id).search_id == ""


def test_only_the_named_runs_are_adopted_and_each_once(store: RunStore, engine: Engine) -> None:
    # Queued by nobody, as after a crash.
    first, second, third = (store.create(RunConfig()).run_id for _ in range(3))
    assert engine.adopt(only=[second]) == [second]
    assert engine.adopt(only=[second]) == []
    assert engine.adopt() == [first, third]
    assert engine.adopt() == []


def test_a_run_whose_slot_is_gone_is_adopted_again(store: RunStore, engine: Engine) -> None:
    run_id = store.create(RunConfig()).run_id
    assert engine.adopt() == [run_id]
    engine._futures[run_id].finished = True
    assert engine.adopt() == [run_id]
