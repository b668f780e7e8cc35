from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import ConfigError
from aquadash.models import ChannelStatistics

SHAPE = (32, 32, 3)


def build(**settings: object) -> object:
    return models.build(ModelConfig(name="cnn", **settings), image_shape=SHAPE, num_classes=5)


def kinds(model: object) -> list[tuple[str, tuple[int, ...]]]:
    return [(row.kind, row.output_shape) for row in models.summarize(model).layers]


def test_its_defaults_are_the_reports_network() -> None:
    report = models.build(ModelConfig(), image_shape=SHAPE, num_classes=5)
    own = build()
    assert kinds(own) == kinds(report)
    assert own.count_params() == report.count_params() == 1_091_045
    images = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    own.set_weights(report.get_weights())
    np.testing.assert_array_equal(own(images), report(images))


def test_every_setting_changes_the_network() -> None:
    """A setting that is listed but has no effect would be a knob that turns nothing."""
    other = {
        "dropout": 0.1, "normalization": "standardize", "filters": (8,), "kernel_size": 3, "strides": 1,
        "convolutions": 2, "activation": "relu", "batch_normalization": True, "residual": True, "pooling": "average",
        "pool_size": 3, "pool_strides": 2, "summary": "average", "dense_units": (16,), "dense_activation": "tanh",
        "l1": 0.001, "l2": 0.001,
    }  # fmt: skip
    used = {name for name in ModelConfig.model_fields if models.uses("cnn", f"model.{name}")}
    assert set(other) == used - {"name", "test_time_flip"}  # The flip is used after training.
    for name, value in other.items():
        # A residual needs a second convolution to go around.
        base = {"convolutions": 2} if name == "residual" else {}
        before, after = build(**base).get_config(), build(**base, **{name: value}).get_config()
        for config in (before, after):
            for layer in config["layers"]:
                layer.pop("name"), layer["config"].pop("name"), layer.pop("inbound_nodes")
        assert before["layers"] != after["layers"], name


@pytest.mark.parametrize("summary", ["flatten", "average", "max"])
@pytest.mark.parametrize("pooling", ["max", "average", "none"])
def test_a_deep_network_gives_probabilities(summary: str, pooling: str) -> None:
    model = build(
        filters=(4, 6, 8), kernel_size=3, strides=1, convolutions=3, activation="gelu", batch_normalization=True,
        residual=True, pooling=pooling, pool_strides=2, summary=summary, dense_units=(), l2=1e-4,
    )  # fmt: skip
    probabilities = np.array(model(np.random.default_rng(0).random((4, *SHAPE), np.float32)))
    assert probabilities.shape == (4, 5) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert model.losses


def test_pixels_reach_the_network_as_asked() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, *SHAPE), dtype=np.uint8)
    statistics = ChannelStatistics.of(images)
    scaled = images.astype(np.float64) / 255
    assert statistics.means == pytest.approx(scaled.mean(axis=(0, 1, 2)))
    assert statistics.deviations == pytest.approx(scaled.std(axis=(0, 1, 2)))
    import keras

    for kind, expected in {
        "symmetric": scaled * 2 - 1,
        "standardize": (scaled - scaled.mean(axis=(0, 1, 2))) / scaled.std(axis=(0, 1, 2)),
    }.items():
        model = models.build(
            ModelConfig(name="cnn", normalization=kind), image_shape=SHAPE, num_classes=5, statistics=statistics
        )
        seen = keras.Model(model.inputs, model.get_layer("normalization").output)(scaled.astype(np.float32))
        np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_one_colour_everywhere_does_not_divide_by_zero() -> None:
    assert min(ChannelStatistics.of(np.full((2, 4, 4, 3), 7, np.uint8)).deviations) > 0


def test_a_network_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"parameters; at most 50,000,000"):
        build(filters=(512,), strides=1, dense_units=(4096,))


def test_half_precision_is_for_this_network_alone(tmp_path: Path) -> None:
    import keras

    model = models.build(
        ModelConfig(name="cnn", batch_normalization=True), image_shape=SHAPE, num_classes=5, precision="mixed_bfloat16"
    )
    assert keras.config.dtype_policy().name == "float32"
    assert model.layers[1].compute_dtype == "bfloat16" and model.layers[1].variable_dtype == "float32"
    images = np.random.default_rng(0).random((4, *SHAPE), np.float32)
    assert model(images).dtype == "float32"
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded(images), model(images))
