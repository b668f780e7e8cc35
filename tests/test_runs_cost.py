"""What runs cost, read from their history and their stored network."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash.errors import RunError
from aquadash.runs import EpochRecord, open_store
from aquadash.runs.cost import cost_of, parameter_count
from aquadash.runs.measured import image_set, predictions_on
from tests import ui_runs
from tests.compared_runs import keras_file


def epochs(*seconds: float) -> list[EpochRecord]:
    return [EpochRecord(number, 1.0, 0.5, 1.0, 0.5, 0.01, each) for number, each in enumerate(seconds, start=1)]


def test_parameters_are_the_networks_alone(tmp_path: Path) -> None:
    assert parameter_count(keras_file(tmp_path / "model.keras", 1234)) == 1234


def test_the_count_agrees_with_keras(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Flatten(),
            keras.layers.Dense(5),
        ]
    )
    model.compile(keras.optimizers.Adam(), "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    assert parameter_count(tmp_path / "model.keras") == model.count_params()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(b"not a zip")
    with pytest.raises(RunError, match=r"model\.keras cannot be read"):
        parameter_count(path)


def test_time_is_summed_and_the_first_epochs_compiling_does_not_count(tmp_path: Path) -> None:
    store = open_store()
    run = ui_runs.finished(store, "a")
    cost = cost_of(store, run.run_id, epochs(9.0, 2.0, 2.0))
    assert (cost.epochs, cost.seconds, cost.seconds_per_epoch) == (3, 13.0, 2.0)
    assert cost.parameters is None and cost.megabytes is None
    store.add_artifact(run.run_id, keras_file(tmp_path / "model.keras", 1000))
    cost = cost_of(store, run.run_id, [])
    assert cost.parameters == 1000 and cost.megabytes and cost.seconds is None


def test_image_sets_tell_splits_and_data_apart() -> None:
    store = open_store()
    one, other = ui_runs.finished(store, "a"), ui_runs.finished(store, "b", {"seed": 3})
    on_test = ui_runs.finished(store, "c", {"training.validation": "test"})
    moved = ui_runs.finished(store, "d", fingerprint="e" * 64)
    assert image_set(one, "test") == image_set(other, "test") == image_set(on_test, "test") != image_set(moved, "test")
    assert image_set(one, "validation") != image_set(on_test, "validation")
    found = predictions_on(store, one, "test")
    assert found is not None and len(found.labels) == 500
    assert predictions_on(store, one, "validation") is None
    assert predictions_on(store, ui_runs.running(store, "e"), "test") is None
