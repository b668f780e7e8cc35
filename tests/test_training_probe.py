"""What a run will cost: arithmetic on a measurement, and the measurement itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.errors import ConfigError
from aquadash.models import LayerRow
from aquadash.training.drawing import PROCESS_BYTES
from aquadash.training.probe import Measurement, PhaseTiming, Workload, estimate, measured_part, workload

WORK = Workload(image_shape=(32, 32, 3), num_classes=5, training=1000, validation=200, held=1500)
IMAGE_BYTES = 32 * 32 * 3

MEASURED = Measurement(
    layers=(LayerRow("dense", "Dense", (5,), 100, 100, 95),),
    parameters=100,
    trainable_parameters=100,
    multiply_adds=95,
    phases=(PhaseTiming(False, 0.001, 0.0005, steps=40, step_images=32),),
    body_seconds_per_image=0.0,
    features=0,
    augment_seconds_per_image=0.002,
    step_bytes=50_000_000,
    state_bytes=10_000_000,
    base_bytes=800_000_000,
    free_bytes=4_000_000_000,
)
HEAD = PhaseTiming(True, 0.0001, 0.00005, steps=100, step_images=32)
PRETRAINED = replace(MEASURED, phases=(HEAD, *MEASURED.phases), body_seconds_per_image=0.004, features=256)


def config(**changes: object) -> RunConfig:
    plain = {"augmentation.pipeline": "none", "training.drop_remainder": False, "training.epochs": 10}
    return with_values(RunConfig(), plain | {name.replace("__", "."): value for name, value in changes.items()})


def test_an_epoch_is_every_image_once_and_the_validation() -> None:
    result = estimate(config(), WORK, MEASURED)
    assert result.seconds_per_epoch == pytest.approx(1000 * 0.001 + 200 * 0.0005)
    assert result.images_per_second == pytest.approx(1000)
    # Copying the originals is counted as the drawing that it is.
    assert result.seconds_total_at_most == pytest.approx(1000 * 0.002 + 10 * 1.1)
    assert (result.measured_steps, result.step_images, result.parameters) == (40, 32, 100)


def test_variants_and_left_out_batches_change_the_number_of_images() -> None:
    result = estimate(config(augmentation__pipeline="notebook", training__drop_remainder=True), WORK, MEASURED)
    assert result.seconds_per_epoch == pytest.approx(5000 // 32 * 32 * 0.001 + 0.1)


def test_fresh_variants_are_drawn_while_the_epoch_before_trains() -> None:
    slow = replace(MEASURED, augment_seconds_per_image=0.5)
    fresh = config(augmentation__pipeline="notebook", augmentation__mode="fresh")
    assert estimate(fresh, WORK, slow).seconds_per_epoch == pytest.approx(1000 * 0.5)
    copies = config(augmentation__pipeline="notebook")
    assert estimate(copies, WORK, slow).seconds_per_epoch == pytest.approx(5.1)
    assert estimate(copies, WORK, slow).seconds_preparing == pytest.approx(500)


def test_features_are_computed_once_and_then_the_head_is_quick() -> None:
    frozen = replace(PRETRAINED, phases=(HEAD,))
    result = estimate(config(), WORK, frozen)
    assert result.seconds_per_epoch == pytest.approx(1000 * 0.0001 + 200 * 0.00005)
    assert result.seconds_preparing == pytest.approx(1200 * 0.004 + 1000 * 0.002)
    fresh = estimate(config(augmentation__pipeline="notebook-1", augmentation__mode="fresh"), WORK, frozen)
    assert fresh.seconds_per_epoch == pytest.approx(0.11 + 1000 * 0.004)
    assert fresh.seconds_preparing == pytest.approx(200 * 0.004 + 1000 * 0.002)
    # Images that stay as they are give the same features in every epoch.
    assert estimate(config(augmentation__mode="fresh"), WORK, frozen) == result


def test_more_versions_make_longer_epochs() -> None:
    changes = {"augmentation__pipeline": "notebook-1", "augmentation__copies": 3, "augmentation__keep_originals": True}
    one, four = (estimate(config(**values), WORK, MEASURED) for values in ({}, changes))
    assert four.seconds_per_epoch - 0.1 == pytest.approx(4 * (one.seconds_per_epoch - 0.1))


def test_another_version_of_a_pipeline_is_measured_anew() -> None:
    carried = config(augmentation__pipeline="mine", augmentation__definitions='{"mine": {"branches": []}}')
    assert measured_part(carried).augmentation == carried.augmentation


def test_each_phase_has_its_epochs() -> None:
    result = estimate(config(training__head_epochs=3), WORK, PRETRAINED)
    assert [(phase.epochs, phase.on_features) for phase in result.phases] == [(3, True), (7, False)]
    assert result.seconds_per_epoch == pytest.approx(1.1)
    each = [0.11, 1.1]
    assert result.seconds_total_at_most == pytest.approx(result.seconds_preparing + 3 * each[0] + 7 * each[1])


def test_memory_grows_with_the_images_that_are_kept() -> None:
    plain = estimate(config(), WORK, MEASURED).memory_bytes
    assert plain > MEASURED.base_bytes + MEASURED.step_bytes
    variants = estimate(config(augmentation__pipeline="notebook"), WORK, MEASURED).memory_bytes
    assert variants - plain == 2 * 4 * 1000 * IMAGE_BYTES
    fresh = estimate(config(augmentation__pipeline="notebook", augmentation__mode="fresh"), WORK, MEASURED)
    assert fresh.memory_bytes - variants == (5 + 1) * 1000 * IMAGE_BYTES + PROCESS_BYTES
    assert not fresh.memory_is_short
    assert estimate(config(), WORK, replace(MEASURED, free_bytes=10**8)).memory_is_short


def test_what_does_not_change_a_step_needs_no_new_measurement() -> None:
    first = config()
    for name, value in {
        "training.epochs": 3, "training.learning_rate": 0.5, "training.validation_fraction": 0.3, "seed": 9,
        "model.dropout": 0.1, "augmentation.mode": "fresh", "data.source": "cifar100",
    }.items():  # fmt: skip
        assert measured_part(with_values(first, {name: value})) == measured_part(first), name
    for name, value in {
        "training.batch_size": 64, "training.optimizer": "adam", "model.name": "cnn", "training.precision": "auto",
        "augmentation.pipeline": "notebook", "training.head_epochs": 2,
    }.items():  # fmt: skip
        assert measured_part(with_values(first, {name: value})) != measured_part(first), name


def test_only_whether_the_head_learns_alone_at_first_is_measured() -> None:
    parts = {head: measured_part(config(training__head_epochs=head)) for head in (0, 1, 9, 10, 50)}
    assert parts[1] == parts[9] != parts[10] == parts[50] != parts[0] != parts[1]


def test_a_measurement_survives_json() -> None:
    assert Measurement.from_dict(json.loads(json.dumps(PRETRAINED.to_dict()))) == PRETRAINED


def test_the_images_of_a_run(tiny_dataset: Dataset) -> None:
    assert workload(config(training__validation_fraction=0.2), tiny_dataset) == Workload((16, 16, 3), 3, 48, 12, 480)
    few = replace(tiny_dataset, test=tiny_dataset.test.take(slice(100)))
    assert workload(config(training__validation="test"), few).validation == 80
    one = replace(tiny_dataset, test=tiny_dataset.test.take(slice(1)))
    with pytest.raises(ConfigError, match="too few test images"):
        workload(config(training__validation="test"), one)
