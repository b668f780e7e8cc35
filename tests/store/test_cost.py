"""The cost of runs, from their histories and stored networks, and the estimate for a similar run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from aquadash import models
from aquadash.config import ModelConfig, with_values
from aquadash.errors import StorageError
from aquadash.lab import Lab
from aquadash.models import head_epochs
from aquadash.people import OWNER
from aquadash.store import EpochRecord, Run, RunStatus, cost, open_store
from aquadash.store.cost import cost_of, network_size, parameter_count
from aquadash.store.measured import image_set
from tests.support import ui_runs
from tests.support.compared_runs import keras_file
from tests.support.lessons import SHORT

Paces = partial(cost.Paces, head_epochs=head_epochs)


def epochs(*seconds: float) -> list[EpochRecord]:
    return [EpochRecord(number, 1.0, 0.5, 1.0, 0.5, 0.01, each) for number, each in enumerate(seconds, start=1)]


def test_the_count_agrees_with_keras(tmp_path: Path) -> None:
    config = ModelConfig(name="cnn", filters=(4,), batch_normalization=True, dense_units=(8,), dropout=0.5)
    model = models.build(config, image_shape=(8, 8, 3), num_classes=5)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    assert parameter_count(tmp_path / "model.keras") == model.count_params()
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    for name in ("broken", "missing"):
        with pytest.raises(StorageError):
            parameter_count(tmp_path / f"{name}.keras")


def test_time_is_summed_and_the_first_epochs_compiling_does_not_count(tmp_path: Path) -> None:
    store = open_store()
    run = ui_runs.finished(store, "a")
    cost = cost_of(epochs(9.0, 2.0, 2.0), network_size(store, run.run_id))
    assert (cost.epochs, cost.seconds, cost.seconds_per_epoch) == (3, 13.0, 2.0)
    assert cost.parameters is None and cost.megabytes is None
    store.add_artifact(run.run_id, keras_file(tmp_path / "model.keras", 1000))
    cost = cost_of([], network_size(store, run.run_id))
    assert cost.parameters == 1000 and cost.megabytes and cost.seconds is None


def test_image_sets_tell_splits_and_data_apart() -> None:
    store = open_store()
    one, other = ui_runs.finished(store, "a"), ui_runs.finished(store, "b", {"seed": 3})
    on_test = ui_runs.finished(store, "c", {"training.validation": "test"})
    moved = ui_runs.finished(store, "d", fingerprint="e" * 64)
    assert image_set(one, "test") == image_set(other, "test") == image_set(on_test, "test") != image_set(moved, "test")
    assert image_set(one, "validation") != image_set(on_test, "validation")
    predictions_on = Lab(OWNER).runs.predictions_on
    assert len(predictions_on(one.run_id, "test").labels) == 500
    assert predictions_on(one.run_id, "validation") is None
    assert predictions_on(ui_runs.running(store, "e").run_id, "test") is None


def finished(name: str, seconds: float, epochs: float = 10, *, of: object = None, **values: object) -> Run:
    """A run that took so many seconds in all, with settings that differ from the others'."""
    run = Run(name * 32, name, RunStatus.FINISHED, with_values(SHORT, of or {}), 0.0, ended_at=1.0)
    return replace(run, metrics={"seconds": seconds, "epochs": epochs}, **values)


def test_the_median_of_earlier_runs_with_the_same_network_and_images_tells_the_pace() -> None:
    assert Paces([]).seconds_per_epoch(SHORT) is None
    known = [finished(name, each) for name, each in (("b", 10), ("c", 300), ("d", 20))]
    assert Paces(known).seconds_per_epoch(SHORT) == 2.0
    assert Paces(known).seconds_per_epoch(with_values(SHORT, {"data.source": "cifar100"})) is None
    assert Paces(known).seconds_per_epoch(with_values(SHORT, {"model.name": "backbone"})) is None


def test_a_network_of_other_sizes_is_another_one_and_settings_that_change_no_epoch_make_no_other_kind() -> None:
    own = {"model.name": "cnn", "model.filters": (8,)}
    paces = Paces([finished("a", 20, of=own)])
    changes = {"training.epochs": 3, "training.learning_rate": 0.5, "seed": 9, "model.dropout": 0.1, "model.l2": 0.01}
    assert (
        paces.seconds_per_epoch(with_values(SHORT, own | changes))
        == paces.seconds_per_epoch(with_values(SHORT, own))
        is not None
    )
    assert paces.seconds_per_epoch(with_values(SHORT, own | {"model.filters": (256, 256)})) is None


def test_runs_with_more_images_of_each_take_longer() -> None:
    plain, five = {"augmentation.pipeline": "none"}, {"augmentation.pipeline": "notebook"}
    assert Paces([finished("a", 50, of=five)]).seconds_per_epoch(with_values(SHORT, plain)) == pytest.approx(1.0)
    assert Paces([finished("a", 10, of=plain)]).seconds_per_epoch(with_values(SHORT, five)) == pytest.approx(5.0)
    gone = finished("a", 20, of={"augmentation.pipeline": "gone"})
    assert Paces([gone]).seconds_per_epoch(with_values(SHORT, plain)) == 2.0, "as if it made one image of each"


def test_epochs_of_a_new_head_alone_take_nearly_no_time() -> None:
    of = {"model.name": "backbone", "model.fine_tuning": "top", "training.head_epochs": 5, "training.epochs": 20}
    pace = Paces([finished("a", 50, 10, of=of)]).seconds_per_epoch(with_values(SHORT, of))
    assert pace * 20 == pytest.approx(150), "15 epochs of the whole network, of which 5 took 50 seconds"


def test_runs_that_tell_no_pace_are_passed_over() -> None:
    imported, working = finished("a", 100, origin="imported"), finished("a", 100, status=RunStatus.RUNNING)
    for useless in (imported, working, finished("a", 0), finished("a", 100, 0)):
        assert Paces([useless]).seconds_per_epoch(SHORT) is None
