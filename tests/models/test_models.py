"""The report's network, the network of one's own, their pixel values, and the table of layers and costs."""

import functools
from typing import Any

import keras
import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import ConfigError, StorageError
from aquadash.files import file_digest
from aquadash.models import ChannelStatistics, backbone, transfer
from aquadash.models.transfer import parts, with_features, with_flip
from aquadash.models.weights import load_npz
from aquadash.presets import preset
from tests.support.tiny_networks import assigned

SHAPE = (32, 32, 3)

#: Kind, output, parameters and multiplications of the report's layers; the last column follows from the others.
REPORT = [
    ("Conv2D", (16, 16, 32), 416, 16 * 16 * (2 * 2 * 3) * 32),
    ("MaxPooling2D", (16, 16, 32), 0, 0),
    ("Conv2D", (8, 8, 64), 8256, 8 * 8 * (2 * 2 * 32) * 64),
    ("MaxPooling2D", (8, 8, 64), 0, 0),
    ("Flatten", (4096,), 0, 0),
    ("Dense", (256,), 1048832, 4096 * 256),
    ("Dropout", (256,), 0, 0),
    ("Dense", (128,), 32896, 256 * 128),
    ("Dropout", (128,), 0, 0),
    ("Dense", (5,), 645, 128 * 5),
]


def build(name: str = "cnn", **settings: object) -> object:
    return models.build(ModelConfig(name=name, **settings), image_shape=SHAPE, num_classes=5)


def test_the_report_s_network_is_the_default_of_one_s_own() -> None:
    report, own = build("notebook"), build()
    summary = models.summarize(report)
    assert [(row.kind, row.output_shape, row.params, row.multiply_adds) for row in summary.layers] == REPORT
    assert summary.params == summary.trainable_params == own.count_params() == 1_091_045
    assert summary.multiply_adds == sum(row[-1] for row in REPORT)
    assert {row.part for row in summary.layers} == {""}
    images = np.random.default_rng(0).random((3, *SHAPE), np.float32)
    own.set_weights(report.get_weights())
    np.testing.assert_array_equal(own(images), report(images))


def test_the_perceptron_has_the_dense_layers_of_the_reports_network_alone() -> None:
    rows = models.summarize(build("perceptron")).layers
    assert [row.kind for row in rows] == [row[0] for row in REPORT[4:]]
    assert sum(row.params for row in rows) == 3072 * 256 + 256 + 32_896 + 645 == 820_229
    narrow = build("perceptron", dense_units=(10,), normalization="standardize")
    assert narrow.count_params() == 3072 * 10 + 10 + 10 * 5 + 5


@pytest.mark.parametrize("network", ["cnn", "perceptron"])
def test_every_setting_changes_the_network(network: str) -> None:
    """A setting that is listed but has no effect would be a knob that turns nothing."""
    other = assigned(
        "model.dropout=0.1 model.normalization=standardize model.filters=8 model.kernel_size=3 model.strides=1 "
        "model.convolutions=2 model.activation=relu model.batch_normalization=true model.residual=true "
        "model.pooling=average model.pool_size=3 model.pool_strides=2 model.summary=average model.dense_units=16 "
        "model.dense_activation=tanh model.l1=0.001 model.l2=0.001"
    ).model.model_dump()

    @functools.cache
    def layers(**settings: Any) -> list[dict[str, Any]]:
        described = build(network, **settings).get_config()["layers"]
        for layer in described:
            layer.pop("name"), layer["config"].pop("name"), layer.pop("inbound_nodes")
        return described

    used = {name for name in ModelConfig.model_fields if models.uses(network, f"model.{name}")}
    for name in used - {"name", "test_time_flip"}:  # The flip is used after training.
        # A residual needs a second convolution to go around.
        base = {"convolutions": 2} if name == "residual" else {}
        assert layers(**base) != layers(**base, **{name: other[name]}), name


def test_pixels_reach_the_network_as_asked() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, *SHAPE), dtype=np.uint8)
    statistics = ChannelStatistics.of(images)
    scaled = images.astype(np.float64) / 255
    normalised = np.asarray(models.normalise(images))
    assert normalised.dtype == np.float32
    np.testing.assert_allclose(normalised, scaled, atol=1e-6)
    assert statistics.means == pytest.approx(scaled.mean(axis=(0, 1, 2)))
    assert statistics.deviations == pytest.approx(scaled.std(axis=(0, 1, 2)))
    for kind, expected in {
        "symmetric": scaled * 2 - 1,
        "standardize": (scaled - scaled.mean(axis=(0, 1, 2))) / scaled.std(axis=(0, 1, 2)),
    }.items():
        config = ModelConfig(name="cnn", normalization=kind)
        model = models.build(config, image_shape=SHAPE, num_classes=5, statistics=statistics)
        seen = keras.Model(model.inputs, model.get_layer("normalization").output)(scaled.astype(np.float32))
        np.testing.assert_allclose(seen, expected, atol=1e-5)
    assert min(ChannelStatistics.of(np.full((2, 4, 4, 3), 7, np.uint8)).deviations) > 0, "divisors of one colour"


def test_a_network_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"dense layers would have .* parameters; at most 50,000,000"):
        build(filters=(512,), strides=1, dense_units=(4096,))
    with pytest.raises(ConfigError, match="Use fewer units or smaller images"):
        build("perceptron", dense_units=(4096,) * 4)
    with pytest.raises(ConfigError, match="convolutions would have 257,051,648 parameters; at most 100,000,000"):
        build(filters=(1024, 1024), kernel_size=7, convolutions=3)


def test_half_precision_is_for_this_network_alone() -> None:
    config = ModelConfig(name="cnn", batch_normalization=True)
    model = models.build(config, image_shape=SHAPE, num_classes=5, precision="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert model.layers[1].compute_dtype == "bfloat16" and model.layers[1].variable_dtype == "float32"


def test_kernels_of_every_kind_are_counted() -> None:
    layers = [
        keras.Input((8, 8, 3)),
        keras.layers.DepthwiseConv2D(3, padding="same"),
        keras.layers.SeparableConv2D(16, 3, padding="same"),
        keras.layers.Conv2D(8, 1, strides=2, groups=2),
        keras.layers.GlobalAveragePooling2D(),
    ]
    rows = models.summarize(keras.Sequential(layers)).layers
    expected = [8 * 8 * 9 * 3, 8 * 8 * (9 * 3 + 3 * 16), 4 * 4 * (16 // 2) * 8, 0]
    assert [row.multiply_adds for row in rows] == expected


def test_the_layers_of_both_parts_are_listed() -> None:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="top_convolution")(inputs)
    body = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name=transfer.BODY)
    model = transfer.compose(body, ModelConfig(dense_units=(6,)), 2)
    transfer.thaw_body(body, "head", last_frozen="")
    summary = models.summarize(model)
    assert [row.part for row in summary.layers] == ["body"] * 2 + ["head"] * 4
    assert sum(row.params for row in summary.layers) == summary.params == model.count_params()
    assert summary.trainable_params == 4 * 6 + 6 + 6 * 2 + 2
    transfer.thaw_body(body, "all", last_frozen="")
    assert models.summarize(model).trainable_params == summary.params


def built(name: str) -> keras.Model:
    return models.build(preset(name).config.model, image_shape=SHAPE, num_classes=5)


@pytest.mark.usefixtures("narrow_bodies")
@pytest.mark.parametrize("name", ["notebook-fixed", "baseline", "backbone"])
def test_the_answer_stays_and_follows_from_the_features(name: str) -> None:
    model = built(name)
    images = np.random.default_rng(0).random((3, 32, 32, 3), np.float32)
    answer, features = (np.asarray(output) for output in with_features(model)(images))
    np.testing.assert_allclose(answer, np.asarray(model(images)), atol=1e-6)
    kernel, bias = model.get_weights()[-2:]
    raised = np.exp(features @ kernel + bias)
    np.testing.assert_allclose(answer, raised / raised.sum(axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("moved", [True, False], ids=["a pixel aside", "in place, as up to version 0.6"])
def test_a_network_that_mirrors_the_image_answers_with_the_mean_and_has_the_features_of_the_image(moved: bool) -> None:
    model = built("baseline")
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    mirrored = images[:, :, ::-1]
    if moved:
        mirrored = np.pad(mirrored, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="reflect")[:, 1:, 1:]
    both = with_flip(model, moved=moved)
    mean = (np.asarray(model(images)) + np.asarray(model(mirrored))) / 2
    np.testing.assert_allclose(np.asarray(both(images)), mean, atol=1e-6)
    answer, features = with_features(both)(images)
    np.testing.assert_allclose(np.asarray(answer), mean, atol=1e-6)
    np.testing.assert_allclose(np.asarray(features), np.asarray(with_features(model)(images)[1]), atol=1e-6)


def test_a_network_without_a_dense_end_is_refused() -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    with pytest.raises(StorageError, match="Flatten; expected a dense layer"):
        with_features(model)


@pytest.mark.usefixtures("narrow_bodies")
def test_a_body_is_had_as_it_was_before_it_was_fine_tuned(monkeypatch: pytest.MonkeyPatch) -> None:
    model, images = built("backbone"), np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    file = backbone.WEIGHTS_FILES["backbone_wide"]
    body = parts(model).body
    load_npz(body, file)
    stage = keras.Model(body.inputs, body.get_layer("stage2_add").output)
    before = [np.asarray(stage(images)).mean(axis=(1, 2)), np.asarray(body(images))]
    learnt = [1.5 * weights for weights in body.get_weights()]
    body.set_weights(learnt)
    for network in (model, with_flip(model)):
        pretrained = backbone.pretrained_body(network)
        assert pretrained.digest == file_digest(file)
        for output, expected in zip(pretrained.model(images), before, strict=True):
            np.testing.assert_allclose(np.asarray(output), expected, rtol=1e-4, atol=1e-5)
    assert all(map(np.array_equal, body.get_weights(), learnt))
    assert backbone.pretrained_body(built("baseline")) is None
    monkeypatch.setitem(backbone.WEIGHTS_FILES, "backbone_wide", file.with_name("gone.npz"))
    assert backbone.pretrained_body(model) is None
