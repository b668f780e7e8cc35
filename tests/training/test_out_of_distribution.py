"""Detectors of images of no class: how networks get one, with and without a pretrained body."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import StorageError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector
from aquadash.files import file_digest
from aquadash.models import backbone
from aquadash.models.transfer import with_flip
from aquadash.models.weights import load_npz
from aquadash.predict import Predictor
from aquadash.presets import preset
from aquadash.training.out_of_distribution import detector, feature_reader, ood_metrics
from aquadash.training.prepare import TrainingData

pytestmark = pytest.mark.usefixtures("narrow_bodies", "all_uncompiled")

CLASSES = ("dark", "bright")

#: Of the images; not the 32 x 32 pixels that the body was pretrained on.
SHAPE = (24, 24, 3)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    labels = np.repeat([0, 1], 20)
    images = np.random.default_rng(0).integers(0, 80, (40, *SHAPE)).astype(np.uint8)
    images[labels == 1] += 170
    return TrainingData(images, labels, images[::2], labels[::2], np.arange(0, 40, 2))


def built(name: str) -> Any:
    model = models.build(preset(name).config.model, image_shape=SHAPE, num_classes=2)
    if name == "backbone":
        load_npz(model.get_layer("body"), backbone.WEIGHTS_FILES["backbone_wide"])
    return model


@pytest.fixture(scope="module")
def pretrained(data: TrainingData, narrow_bodies: None, all_uncompiled: None) -> tuple[Any, OutOfDistributionDetector]:
    """A pretrained network and its detector, which no test changes."""
    model = built("backbone")
    return model, detector(model, data)


def test_a_network_keeps_its_first_body(data: TrainingData, pretrained: tuple[Any, OutOfDistributionDetector]) -> None:
    model, detector = pretrained
    assert detector.pretrained == file_digest(backbone.WEIGHTS_FILES["backbone_wide"])
    features = feature_reader(model, pretrained=detector.pretrained)(data.images)
    own = feature_reader(model)(data.images)
    width, stage = own.shape[1], backbone.WIDTHS["backbone_wide"][-2]
    assert features.shape == (40, 2 * width + stage) == (40, detector.means.shape[1])
    # Nothing was fine-tuned yet: the first and the last part are the same, each of length 1.
    np.testing.assert_allclose(features[:, :width], features[:, -width:], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), np.sqrt(3), rtol=1e-4)
    assert not detector.precision[:width, width:].any() and not detector.precision[width:-width, -width:].any()
    metrics = ood_metrics(model, detector, known=data.images, unknown=np.zeros((5, *SHAPE), np.uint8))
    assert metrics["strangers"] == 5 and metrics["known_accepted"] >= 0.9

    predictor = Predictor(with_flip(model), class_names=CLASSES, detector=detector)
    scores = predictor.answer_images(data.images)[1]
    np.testing.assert_allclose(scores, detector.ood_scores(features) / detector.threshold, rtol=1e-2)


def test_too_many_features_and_too_few_or_equal_training_images_give_none(data: TrainingData) -> None:
    settings = ModelConfig(name="cnn", filters=(8,), strides=1, dense_units=())
    model = models.build(settings, image_shape=SHAPE, num_classes=2)
    assert feature_reader(model)(data.images[:1]).shape[1] > 4096
    assert detector(model, data) is None
    model = built("baseline")
    for learnt, held_out in (([0, 20], [0, 1, 2, 3]), ([0, 0, 20, 20], [0, 0, 20, 20])):
        pairs = [each[positions] for positions in (learnt, held_out) for each in (data.images, data.labels)]
        assert detector(model, TrainingData(*pairs, np.arange(4))) is None


def test_other_weights_say_nothing(data: TrainingData, pretrained: tuple[Any, OutOfDistributionDetector]) -> None:
    model, detector = pretrained
    other = replace(detector, pretrained="0" * 64)
    assert Predictor(model, class_names=CLASSES, detector=other).answer_images(data.images[:2])[1] is None
    with pytest.raises(StorageError, match="are missing"):
        feature_reader(model, pretrained=other.pretrained)


def test_old_detectors_read_features(data: TrainingData, pretrained: tuple[Any, OutOfDistributionDetector]) -> None:
    model, _ = pretrained
    own = feature_reader(model)(data.images)
    arrays = OutOfDistributionDetector.fit(own, data.labels, validation_features=own).to_arrays()
    del arrays["pretrained"]
    old = OutOfDistributionDetector.from_arrays(arrays)
    scores = Predictor(model, class_names=CLASSES, detector=old).answer_images(data.images)[1]
    np.testing.assert_allclose(scores, old.ood_scores(own) / old.threshold, rtol=1e-2)
