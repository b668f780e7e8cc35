"""Two runs that differ in their augmentation alone: both are queued, or none."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.augment import plan
from aquadash.config import RunConfig, flatten, with_values
from aquadash.engine import Engine
from aquadash.errors import ConfigError, StorageError, UnknownNameError
from aquadash.runs import Run, RunStore
from aquadash.runs.pairs import find_pair, pair_configs

QUICK = with_values(RunConfig(), {"training.epochs": 2, "training.batch_size": 64, "training.patience": 0, "seed": 5})


@pytest.fixture
def engine(store: RunStore) -> Engine:
    """It queues, and trains nothing."""
    return Engine(store, serving=False)


def differing(one: RunConfig, other: RunConfig) -> dict[str, Any]:
    left, right = flatten(one), flatten(other)
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}


def test_only_the_augmentation_differs() -> None:
    without, with_it = pair_configs(QUICK, "notebook")
    assert differing(without, with_it) == {"augmentation.pipeline": ("none", "notebook")}
    assert with_it.seed == 5


def test_the_same_number_of_updates_needs_more_epochs_without() -> None:
    base = with_values(QUICK, {"training.patience": 3, "training.warmup_epochs": 1.5})
    without, with_it = pair_configs(base, "notebook", same_updates=True)
    assert plan(pair_configs(base, "notebook")[1].augmentation).factor == 5
    assert (without.training.epochs, without.training.patience, without.training.warmup_epochs) == (10, 15, 7.5)
    assert with_it.training == base.training
    with pytest.raises(ConfigError, match=r"training.epochs = 2500; at most 2000"):
        pair_configs(with_values(QUICK, {"training.epochs": 500}), "notebook", same_updates=True)


def test_a_pipeline_that_changes_nothing_makes_no_pair() -> None:
    with pytest.raises(ConfigError, match="both runs would be the same"):
        pair_configs(QUICK, "none")
    with pytest.raises(UnknownNameError, match="notebook-1"):
        pair_configs(QUICK, "notebok-1")


def test_both_are_queued_and_know_one_another(engine: Engine, store: RunStore) -> None:
    without, with_it = engine.submit_pair(QUICK, "notebook-1")
    assert store.ranks() == {without.run_id: 1, with_it.run_id: 2}
    assert without.pair_id == with_it.pair_id != ""
    assert (without.pair_role, with_it.pair_role) == ("without", "with")
    assert with_it.name == "With: The report's first: flip and blur"
    pair = find_pair(store.list_runs(), without.pair_id)
    assert [run.run_id for run in pair.runs] == [without.run_id, with_it.run_id]
    assert store.get(engine.submit_pair(QUICK, "notebook-1", name="Mine")[0].run_id).name == "Without: Mine"


def test_none_is_queued_where_the_second_cannot_be(
    engine: Engine, store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = store.create

    def create_one(config: RunConfig, **options: Any) -> Run:
        if store.list_runs():
            raise StorageError("The disk is full.")
        return create(config, **options)

    monkeypatch.setattr(store, "create", create_one)
    with pytest.raises(StorageError, match="disk is full"):
        engine.submit_pair(QUICK, "notebook-1")
    assert store.ranks() == {} and store.list_runs() == []
    with pytest.raises(UnknownNameError):
        engine.submit_pair(with_values(QUICK, {"model.name": "nothing"}), "notebook-1")
    assert store.list_runs() == []
