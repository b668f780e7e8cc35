"""The networks of ``keras.applications``: what reaches them, their weights, what learns in fine-tuning."""

import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.utils import file_utils

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import ConfigError
from aquadash.models import applications, transfer
from aquadash.models.applications import APPLICATIONS
from tests.support.weights_files import write_like_keras

#: The smallest size that all of them take is 75; MobileNetV2 has weights of its own for 96.
SIZE = 96

#: Modules of Keras that have each network's ``preprocess_input``.
MODULES = {
    "vgg16": "vgg16",
    "resnet50": "resnet",
    "inceptionv3": "inception_v3",
    "mobilenetv2": "mobilenet_v2",
    "efficientnetv2b0": "efficientnet_v2",
}

#: `make test` runs the two networks that build fastest; the others take seconds each.
NETWORKS = [
    name if name in ("vgg16", "mobilenetv2") else pytest.param(name, marks=pytest.mark.soak) for name in APPLICATIONS
]


def _config(name: str, **settings: Any) -> ModelConfig:
    return ModelConfig(**{"name": name, "input_size": SIZE, "dense_units": (), **settings})


@pytest.fixture(scope="module")
def built() -> Callable[[str], Any]:
    """Build each network once; tests may load weights into it and let any of its layers learn."""
    return functools.cache(lambda name: models.build(_config(name), image_shape=(32, 32, 3), num_classes=5))


def _pictures() -> np.ndarray:
    """Two uint8 images of different colours, so that swapped channels or a wrong scale show."""
    noise = np.random.default_rng(0).integers(0, 60, (2, 32, 32, 3), dtype=np.uint8)
    noise[0, :16, :, 0] += 190
    noise[1, :, 20:, 2] += 150
    return noise


def _keras_network(name: str) -> Any:
    """Keras's own network without a head, every weight random, those of batch normalization too."""
    function = getattr(keras.applications, APPLICATIONS[name].function)
    network = function(include_top=False, weights="imagenet", input_shape=(SIZE, SIZE, 3), pooling="avg")
    random = np.random.default_rng(0)
    for variable in network.weights:
        noise = random.normal(size=variable.shape).astype(np.float32)
        if len(variable.shape) > 1:
            # Depthwise kernels, with a last side of 1, look at one channel each.
            inputs = np.prod(variable.shape[:2] if variable.shape[-1] == 1 else variable.shape[:-1])
            variable.assign(noise * np.sqrt(2 / inputs))
        elif variable.name in ("gamma", "moving_variance"):
            variable.assign(1 + 0.2 * np.tanh(noise))
        else:
            variable.assign(0.2 * noise)
    return network


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_weights_and_features_are_those_of_keras(
    name: str, built: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keras is asked for its weights, with a download in place of which it says what it would have fetched.
    requests = []
    with monkeypatch.context() as patch:
        patch.setattr(
            file_utils,
            "get_file",
            lambda fname, origin, **options: requests.append((fname, origin, options.get("file_hash"))),
        )
        patch.setattr(keras.Model, "load_weights", lambda *_: None)
        network = _keras_network(name)
    weights: Any = applications.weights(_config(name))
    assert requests == [(weights.file_name, weights.url, weights.md5)]

    path = tmp_path / "weights.h5"
    write_like_keras(network, path)
    model = built(name)

    preprocess = importlib.import_module(f"keras.applications.{MODULES[name]}").preprocess_input
    prepared = preprocess(tf.image.resize(_pictures(), (SIZE, SIZE)).numpy())
    inside = [layer for layer in network.layers if isinstance(layer, keras.layers.Normalization)]
    seen = np.asarray(keras.Model(network.input, inside[0].output)(prepared)) if inside else prepared
    expected = np.asarray(network(prepared, training=False))
    body = transfer.parts(model).body
    models.model_entry(name).load(body, path)
    images = models.normalise(_pictures())
    pixels = keras.Model(body.input, body.get_layer("pixels").output)(images)
    features = np.asarray(body(images, training=False))

    np.testing.assert_allclose(np.asarray(pixels), seen, atol=1e-6 * np.abs(seen).max())
    # Random weights make tiny differences of rounding grow from layer to layer; those between the pictures are larger.
    between_pictures = np.abs(expected[0] - expected[1]).max()
    assert between_pictures > 0.05 * np.abs(expected).max()
    np.testing.assert_allclose(features, expected, rtol=0, atol=0.01 * between_pictures)
    np.testing.assert_allclose(np.asarray(model(images)).sum(axis=1), 1, atol=1e-5)
    # However the body is called, it works as it does when it predicts.
    np.testing.assert_array_equal(np.asarray(body(images)), features)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_fine_tuning_thaws_what_it_says(name: str, built: Callable[[str], Any]) -> None:
    entry, model = models.model_entry(name), built(name)
    body = transfer.parts(model).body
    assert body.count_params() == APPLICATIONS[name].params
    counts = {}
    for fine_tuning in ("head", "top", "all"):
        transfer.thaw_body(body, fine_tuning, last_frozen=entry.last_frozen)
        counts[fine_tuning] = sum(int(np.prod(variable.shape)) for variable in body.trainable_variables)
        if fine_tuning == "top":
            learning = [layer.name for layer in body.layers if layer.trainable and layer.weights]
    normalization = sum(
        layer.count_params() for layer in body.layers if isinstance(layer, keras.layers.BatchNormalization)
    )
    assert counts["head"] == 0
    assert 0.1 * counts["all"] < counts["top"] < 0.8 * counts["all"]
    assert counts["all"] == APPLICATIONS[name].params - normalization
    names = [layer.name for layer in body.layers]
    assert entry.last_frozen not in learning
    assert learning and names.index(learning[0]) > names.index(entry.last_frozen), learning
    deepest = [layer.name for layer in body.layers if type(layer).__name__ in ("Conv2D", "DepthwiseConv2D")][-1]
    assert deepest in learning

    # With everything thawed and called for training, nothing is random and no statistics move.
    images = models.normalise(_pictures())
    before = [np.array(variable) for variable in body.non_trainable_variables]
    training = np.asarray(body(images, training=True))
    np.testing.assert_array_equal(training, np.asarray(body(images, training=False)))
    for variable, value in zip(body.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)


@pytest.mark.slow
def test_pixels_and_features_stay_exact_in_mixed_precision() -> None:
    model = models.build(_config("vgg16"), image_shape=(32, 32, 3), num_classes=5, precision="mixed_bfloat16")
    body = transfer.parts(model).body
    dtypes = {layer.name: layer.compute_dtype for layer in body.layers}
    assert (dtypes["resize"], dtypes["pixels"], dtypes["features"]) == ("float32",) * 3
    assert dtypes["block5_conv3"] == "bfloat16"
    features = body(models.normalise(_pictures()), training=False)
    assert features.dtype == "float32" and np.isfinite(np.asarray(features)).all()


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_image_that_is_too_small_is_refused(name: str) -> None:
    smallest = APPLICATIONS[name].smallest
    config = ModelConfig(name=name, input_size=smallest - 1)
    for refused in (lambda: applications.weights(config), lambda: applications.input_size(config)):
        with pytest.raises(ConfigError, match=f"input_size is {smallest - 1}, .* at least {smallest} pixels"):
            refused()
    assert applications.input_size(ModelConfig(name=name, input_size=smallest)) == smallest
    assert applications.input_size(ModelConfig(name=name)) == APPLICATIONS[name].size


@pytest.mark.parametrize(("size", "file_size"), [(0, 224), (96, 96), (100, 224)])
def test_mobilenet_has_weights_for_each_size(size: int, file_size: int) -> None:
    weights = applications.weights(ModelConfig(name="mobilenetv2", input_size=size))
    assert weights.file_name == f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{file_size}_no_top.h5"
