"""What a trained network needs to tell images of none of its classes."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash.errors import StorageError
from aquadash.evaluation.out_of_distribution import OutOfDistributionDetector, auroc
from aquadash.models import backbone, normalise
from aquadash.models.transfer import with_features
from aquadash.training.epoch_loop import forward_batch
from aquadash.training.prepare import TrainingData

#: The layer that joins them.
_PARTS = "parts"

#: A part's covariance takes its square. As wide as a dense layer may be; flattened values may be 16 times as many.
_MAX_FEATURES = 4096


def detector(model: keras.Model, data: TrainingData) -> OutOfDistributionDetector | None:
    """Learn from a run's training images, unaugmented, and set the threshold on its validation images.

    Args:
        model: The trained network, without the mirror image.

    Returns:
        None where the features are too many or not finite numbers, or the training images too few to tell.
    """
    body = backbone.pretrained_body(model)
    both = with_features(model) if body is None else _joined(model, body.model)
    widths = [] if body is None else [part.shape[-1] for part in both.get_layer(_PARTS).input]
    if max(widths or [both.output_shape[1][-1]]) > _MAX_FEATURES:
        return None
    pretrained = "" if body is None else body.digest
    features = _reader(both)
    of_training, of_validation = features(data.images), features(data.validation_images)
    classes = model.output_shape[-1]
    if not (np.isfinite(of_training).all() and np.isfinite(of_validation).all()):
        return None
    if len(np.unique(data.labels)) < classes or len(data.labels) < classes + 2 or not len(of_validation):
        return None
    found = OutOfDistributionDetector.fit(
        of_training, data.labels, validation_features=of_validation, widths=widths, pretrained=pretrained
    )
    # Scores are told as multiples of the threshold; images that are all alike leave none.
    return found if found.threshold > 0 else None


def ood_metrics(
    model: keras.Model, detector: OutOfDistributionDetector, *, known: NDArray[np.uint8], unknown: NDArray[np.uint8]
) -> dict[str, float]:
    """Measure how well a detector separates unknown images from test images; keys are the names of stored figures."""
    features = feature_reader(model, pretrained=detector.pretrained)
    of_known, of_unknown = detector.ood_scores(features(known)), detector.ood_scores(features(unknown))
    return {
        "stranger_auroc": auroc(of_known, of_unknown),
        "strangers": float(len(unknown)),
        "strangers_noticed": float((of_unknown > detector.threshold).mean()),
        "known_accepted": float((of_known <= detector.threshold).mean()),
    }


def feature_reader(model: keras.Model, *, pretrained: str = "") -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """A function from images to what the last layer is given, float32, (n, features); traced once for all calls."""
    return _reader(with_ood_features(model, pretrained=pretrained))


def _reader(both: keras.Model) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    forward = tf.function(lambda batch: both(normalise(batch), training=False)[1], reduce_retracing=True)
    step = forward_batch(both)

    def features(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        starts = range(0, len(images), step)
        parts = [forward(tf.constant(images[start : start + step])).numpy() for start in starts]
        return np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, 1), np.float32)

    return features


def with_ood_features(model: keras.Model, *, pretrained: str) -> keras.Model:
    """A network with a second output, the features that a detector is given."""
    if not pretrained:
        return with_features(model)
    body = backbone.pretrained_body(model)
    if body is None or body.digest != pretrained:
        raise StorageError("The pretrained weights that this model began with are no longer there.")
    return _joined(model, body.model)


def _joined(model: keras.Model, body: keras.Model) -> keras.Model:
    """The network with its features, which are joined by those that a body gives."""
    both = with_features(model)
    inputs = keras.Input(model.input_shape[1:])
    answer, own = both(inputs)
    unit = keras.layers.UnitNormalization(dtype="float32")
    parts = [unit(part) for part in (own, *body(inputs))]
    return keras.Model(inputs, [answer, keras.layers.Concatenate(dtype="float32", name=_PARTS)(parts)])
