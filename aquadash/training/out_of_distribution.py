"""Detection of images that belong to none of a network's classes, from its features."""

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

#: Name of the layer that concatenates the network's features with those of its pretrained body.
_PARTS = "parts"

#: Maximum width of a part, whose covariance takes the square of it; a dense layer may be as wide.
_MAX_FEATURES = 4096


def detector(model: keras.Model, data: TrainingData) -> OutOfDistributionDetector | None:
    """Fit a detector on the unaugmented training images, with a threshold from the validation images.

    Args:
        model: The trained network, without flip averaging.

    Returns:
        None where there are too many features or too few images, or features are not finite.
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
    fitted = OutOfDistributionDetector.fit(
        of_training, data.labels, validation_features=of_validation, widths=widths, pretrained=pretrained
    )
    # Scores are divided by the threshold, which is 0 where all images are alike.
    return fitted if fitted.threshold > 0 else None


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
    """Return a function from uint8 images to the last layer's input, float32 (n, features); it is compiled once."""
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
    """Return the network with a second output, the features for a detector."""
    if not pretrained:
        return with_features(model)
    body = backbone.pretrained_body(model)
    if body is None or body.digest != pretrained:
        raise StorageError("The pretrained weights that this model started from are missing.")
    return _joined(model, body.model)


def _joined(model: keras.Model, body: keras.Model) -> keras.Model:
    """Return the network with a second output: its features and those of a pretrained body."""
    both = with_features(model)
    inputs = keras.Input(model.input_shape[1:])
    answer, own = both(inputs)
    unit = keras.layers.UnitNormalization(dtype="float32")
    parts = [unit(part) for part in (own, *body(inputs))]
    return keras.Model(inputs, [answer, keras.layers.Concatenate(dtype="float32", name=_PARTS)(parts)])
