"""Real steps, timed: what is measured, what is only worked out, and that nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.errors import ConfigError
from aquadash.training.probe import Measurement, measured_part

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def timed_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said here of how exactly the times are those of this computer."""
    for name in ("_TRAINING_SECONDS", "_HEAD_SECONDS", "_FORWARD_SECONDS"):
        monkeypatch.setattr(f"aquadash.training.measure.{name}", 0.02)


CNN = {"model.name": "cnn", "model.filters": (8,), "model.dense_units": (), "augmentation.pipeline": "none"}


def measured(changes: Mapping[str, Any], **options: Any) -> Measurement:
    from aquadash.training.measure import measure

    config = measured_part(with_values(RunConfig(), {**CNN, **changes}))
    return measure(config, image_shape=(16, 16, 3), num_classes=3, **options)


def test_steps_of_whole_batches_are_timed() -> None:
    found = measured({"training.batch_size": 16}, base_bytes=123)
    (phase,) = found.phases
    assert (phase.on_features, phase.step_images) == (False, 16)
    assert phase.steps >= 8 and 0 < phase.validation_seconds_per_image
    assert 0 < phase.seconds_per_image < 1
    assert found.base_bytes == 123
    assert found.parameters == found.trainable_parameters == sum(layer.params for layer in found.layers)


@pytest.mark.soak
def test_an_optimizer_with_a_memory_of_its_own_takes_more() -> None:
    plain, adam = measured({}), measured({"training.optimizer": "adam"})
    assert plain.state_bytes == pytest.approx(4 * plain.parameters, abs=100)
    assert adam.state_bytes == pytest.approx(3 * plain.state_bytes, abs=100)


@pytest.mark.soak
def test_a_large_batch_takes_more_memory_than_a_small_one() -> None:
    wide = {"model.filters": (64,), "model.strides": 1}
    assert measured({**wide, "training.batch_size": 512}).step_bytes > 4 * measured(wide).step_bytes


@pytest.mark.soak
def test_a_step_that_would_take_too_long_is_not_tried() -> None:
    from aquadash.training import measure

    huge = {"model.filters": (256,), "model.convolutions": 2, "model.kernel_size": 7, "model.strides": 1,
            "model.pooling": "none", "model.summary": "average"}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "_TOO_LONG_SECONDS", 0.1)
        patch.setattr(measure, "_multiply_adds_per_second", lambda: 1e10)
        (phase,) = (found := measured(huge)).phases
    assert (phase.steps, phase.step_images) == (0, 0)
    assert phase.seconds_per_image == pytest.approx(3 * found.multiply_adds / 1e10)
    assert found.step_bytes > found.state_bytes > 4 * found.parameters


@pytest.mark.soak
def test_a_batch_that_would_take_too_long_is_measured_in_part() -> None:
    from aquadash.training import measure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "_STEP_SECONDS", 1e-6)
        (phase,) = measured({"training.batch_size": 64}).phases
    assert phase.step_images < 64 and phase.steps >= 1


@pytest.mark.soak
def test_a_pretrained_network_has_a_phase_for_its_head() -> None:
    changes = {"model.name": "backbone", "model.fine_tuning": "all", "training.head_epochs": 1, "training.epochs": 4}
    found = measured(changes)
    assert [phase.on_features for phase in found.phases] == [True, False]
    head, whole = found.phases
    assert head.seconds_per_image < whole.seconds_per_image
    assert found.body_seconds_per_image > 0 and found.features > 0
    assert {layer.part for layer in found.layers} == {"body", "head"}
    frozen = measured({"model.name": "backbone", "model.fine_tuning": "head"})
    assert [phase.on_features for phase in frozen.phases] == [True]
    assert frozen.trainable_parameters == 3 * frozen.features + 3 < found.trainable_parameters


@pytest.mark.soak
def test_drawing_variants_is_timed_per_original() -> None:
    assert measured({"augmentation.pipeline": "notebook"}).augment_seconds_per_image > 0


def test_what_makes_no_network_is_refused() -> None:
    with pytest.raises(ConfigError):
        measured({"model.dense_units": (4096,) * 4, "model.summary": "flatten", "model.strides": 1})


@pytest.mark.soak
def test_the_precision_stays_as_it_was() -> None:
    import keras

    measured({"training.precision": "mixed_bfloat16"})
    assert keras.config.dtype_policy().name == "float32"
