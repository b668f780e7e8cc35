from __future__ import annotations

import keras
import numpy as np
import pytest

from aquadash import models
from aquadash.errors import StorageError
from aquadash.files import file_digest
from aquadash.models import ChannelStatistics, backbone
from aquadash.models.transfer import parts, with_features, with_flip
from aquadash.models.weights import load_npz
from aquadash.presets import preset

pytestmark = pytest.mark.usefixtures("narrow_bodies")

STATISTICS = ChannelStatistics((0.5, 0.5, 0.5), (0.2, 0.2, 0.2))


def built(name: str) -> keras.Model:
    return models.build(preset(name).config.model, image_shape=(32, 32, 3), num_classes=5, statistics=STATISTICS)


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
        found = backbone.pretrained_body(network)
        assert found.digest == file_digest(file)
        for given, expected in zip(found.model(images), before, strict=True):
            np.testing.assert_allclose(np.asarray(given), expected, rtol=1e-4, atol=1e-5)
    assert all(map(np.array_equal, body.get_weights(), learnt))
    assert backbone.pretrained_body(built("baseline")) is None
    monkeypatch.setitem(backbone.WEIGHTS_FILES, "backbone_wide", file.with_name("gone.npz"))
    assert backbone.pretrained_body(model) is None
