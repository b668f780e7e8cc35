"""What a run will cost: arithmetic on a measurement, and the measurement itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from aquadash.cli import cli
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.errors import ConfigError
from aquadash.models import LayerRow, ModelSummary

if TYPE_CHECKING:
    from aquadash.training.probe import Measurement, ProbeResult

pytestmark = pytest.mark.slow

#: Of the tiny data set, whose images have 16 x 16 pixels: 60 training images, a fifth of them to validate with.
TRAINING, VALIDATION = 48, 12
IMAGE_BYTES = 16 * 16 * 3


def measurement(*, head: bool = False, whole: bool = True, **changes: Any) -> Measurement:
    """Made-up figures of a network, with a head on a frozen body or without."""
    from aquadash.training.probe import Measurement, PhaseTiming

    phases = [PhaseTiming(True, 0.0001, 0.00005, steps=100, step_images=32)] if head else []
    phases += [PhaseTiming(False, 0.001, 0.0005, steps=40, step_images=32)] if whole else []
    found = Measurement(
        network=ModelSummary((LayerRow("dense", "Dense", (5,), 100, 100, 95),), 100, 100, 95),
        phases=tuple(phases),
        body_seconds_per_image=0.004 if head else 0.0,
        features=256 if head else 0,
        drawing_seconds_per_image=0.002,
        process_bytes=900_000_000,
        state_bytes=10_000_000,
        free_bytes=4_000_000_000,
    )
    return replace(found, **changes)


def config(**changes: object) -> RunConfig:
    plain = {
        "augmentation.pipeline": "none", "training.drop_remainder": False, "training.epochs": 10,
        "training.validation_fraction": 0.2,
    }  # fmt: skip
    return with_values(RunConfig(), plain | {name.replace("__", "."): value for name, value in changes.items()})


@pytest.fixture
def estimate(tiny_dataset: Dataset) -> Any:
    """The function, for the tiny data set."""
    from aquadash.training.probe import estimate

    def estimated(config: RunConfig, measured: Measurement | None = None) -> ProbeResult:
        return estimate(config, tiny_dataset, measured or measurement())

    return estimated


def test_an_epoch_is_every_image_once_and_the_validation(estimate: Any) -> None:
    result = estimate(config())
    assert result.seconds_per_epoch == pytest.approx(TRAINING * 0.001 + VALIDATION * 0.0005)
    assert result.images_per_second == pytest.approx(1000)
    # Copying the originals is counted as the drawing that it is.
    assert result.seconds_total_at_most == pytest.approx(TRAINING * 0.002 + 10 * result.seconds_per_epoch)
    assert (result.measured_steps, result.step_images, result.parameters) == (40, 32, 100)


def test_variants_and_left_out_batches_change_the_number_of_images(estimate: Any) -> None:
    result = estimate(config(augmentation__pipeline="notebook", training__drop_remainder=True))
    assert result.seconds_per_epoch == pytest.approx(5 * TRAINING // 32 * 32 * 0.001 + VALIDATION * 0.0005)


def test_fresh_variants_are_drawn_while_the_epoch_before_trains(estimate: Any) -> None:
    slow = measurement(drawing_seconds_per_image=0.5)
    fresh = config(augmentation__pipeline="notebook", augmentation__mode="fresh")
    assert estimate(fresh, slow).seconds_per_epoch == pytest.approx(TRAINING * 0.5)
    copies = config(augmentation__pipeline="notebook")
    assert estimate(copies, slow).seconds_per_epoch == pytest.approx(5 * TRAINING * 0.001 + VALIDATION * 0.0005)
    assert estimate(copies, slow).seconds_preparing == pytest.approx(TRAINING * 0.5)


def test_features_are_computed_once_and_then_the_head_is_quick(estimate: Any) -> None:
    frozen = measurement(head=True, whole=False)
    result = estimate(config(), frozen)
    assert result.seconds_per_epoch == pytest.approx(TRAINING * 0.0001 + VALIDATION * 0.00005)
    assert result.seconds_preparing == pytest.approx((TRAINING + VALIDATION) * 0.004 + TRAINING * 0.002)
    fresh = estimate(config(augmentation__pipeline="notebook-1", augmentation__mode="fresh"), frozen)
    assert fresh.seconds_per_epoch == pytest.approx(result.seconds_per_epoch + TRAINING * 0.004)
    assert fresh.seconds_preparing == pytest.approx(VALIDATION * 0.004 + TRAINING * 0.002)
    # Images that stay as they are give the same features in every epoch.
    assert estimate(config(augmentation__mode="fresh"), frozen) == result


def test_each_phase_has_its_epochs(estimate: Any) -> None:
    result = estimate(config(training__head_epochs=3), measurement(head=True))
    assert [(phase.epochs, phase.on_features) for phase in result.phases] == [(3, True), (7, False)]
    head, whole = (phase.seconds_per_epoch for phase in result.phases)
    assert head < whole == result.seconds_per_epoch
    assert result.seconds_total_at_most == pytest.approx(result.seconds_preparing + 3 * head + 7 * whole)


def test_memory_grows_with_the_images_that_are_kept(estimate: Any) -> None:
    plain = estimate(config()).memory_bytes
    assert plain > measurement().process_bytes + 3 * measurement().state_bytes
    variants = estimate(config(augmentation__pipeline="notebook")).memory_bytes
    assert variants - plain == 2 * 4 * TRAINING * IMAGE_BYTES
    assert estimate(config(), measurement(head=True)).memory_bytes - plain == 2 * 4 * 256 * TRAINING
    assert not estimate(config()).memory_is_short
    assert estimate(config(), measurement(free_bytes=10**8)).memory_is_short


def test_too_few_images_are_refused(tiny_dataset: Dataset) -> None:
    from aquadash.training.probe import estimate

    one = replace(tiny_dataset, test=tiny_dataset.test.take(slice(1)))
    with pytest.raises(ConfigError, match="too few test images"):
        estimate(config(training__validation="test"), one, measurement())


@pytest.fixture
def measure(tiny_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The function, for a small network; nothing is said of how exactly its times are those of this computer."""
    from aquadash.training import probe

    monkeypatch.setattr(probe, "_SECONDS", 0.02)
    small = {"model__name": "cnn", "model__filters": (8,), "model__dense_units": ()}
    return lambda **changes: probe.measure(config(**(small | changes)), tiny_dataset)


def test_steps_of_whole_batches_are_timed(measure: Any) -> None:
    found = measure(training__batch_size=16)
    (phase,) = found.phases
    assert (phase.on_features, phase.step_images) == (False, 16)
    assert phase.steps >= 1 and 0 < phase.validation_seconds_per_image and 0 < phase.seconds_per_image < 1
    network = found.network
    assert network.params == network.trainable_params == sum(layer.params for layer in network.layers)
    # A process with TensorFlow takes some hundreds of megabytes.
    assert found.process_bytes > 2e8 > found.state_bytes >= 4 * network.params


def test_what_makes_no_network_is_refused(measure: Any) -> None:
    with pytest.raises(ConfigError):
        measure(model__dense_units=(4096,) * 4, model__summary="flatten", model__strides=1)


@pytest.mark.soak
def test_an_optimizer_with_a_memory_of_its_own_takes_more(measure: Any) -> None:
    plain, adam = measure(), measure(training__optimizer="adam")
    assert plain.state_bytes == pytest.approx(4 * plain.network.params, abs=100)
    assert adam.state_bytes == pytest.approx(3 * plain.state_bytes, abs=100)


@pytest.mark.soak
def test_a_pretrained_network_has_a_phase_for_its_head(measure: Any) -> None:
    found = measure(model__name="backbone", model__fine_tuning="all", training__head_epochs=1)
    assert [phase.on_features for phase in found.phases] == [True, False]
    head, whole = found.phases
    assert head.seconds_per_image < whole.seconds_per_image
    assert found.body_seconds_per_image > 0 and found.features > 0
    assert {layer.part for layer in found.network.layers} == {"body", "head"}
    frozen = measure(model__name="backbone", model__fine_tuning="head")
    assert [phase.on_features for phase in frozen.phases] == [True]
    assert frozen.network.trainable_params == 3 * frozen.features + 3 < found.network.trainable_params


@pytest.mark.soak
def test_the_precision_stays_as_it_was(measure: Any) -> None:
    import keras

    measure(training__precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"


def test_the_command_prints_it() -> None:
    settings = ("--preset", "notebook", "--set", "augmentation.pipeline=none", "--set", "training.epochs=7")
    done = CliRunner().invoke(cli, ["model", "probe", *settings, "--json"])
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert (values["preset"], values["epochs"], values["parameters"]) == ("notebook", 7, 1_091_045)
    assert values["phases"] == [{"epochs": 7, "seconds_per_epoch": values["seconds_per_epoch"], "on_features": False}]
    assert values["seconds_total_at_most"] == pytest.approx(
        values["seconds_preparing"] + 7 * values["seconds_per_epoch"]
    )
    assert values["memory_bytes"] > 2e8 and values["measured_steps"] >= 1 and values["step_images"] == 32
    assert [layer["kind"] for layer in values["layers"][:3]] == ["Conv2D", "MaxPooling2D", "Conv2D"]
    assert {"memory_is_short", "images_per_second", "trainable_parameters", "multiply_adds"} < set(values)
    text = CliRunner().invoke(cli, ["model", "probe", *settings]).stdout
    assert "1,091,045 parameters" in text and "for 7 epochs" in text
