"""Networks by name. TensorFlow is imported when one is built (``lazy.py``)."""

from __future__ import annotations

from aquadash.models.inputs import ChannelStatistics
from aquadash.models.lazy import tf
from aquadash.models.registry import (
    MODELS,
    ModelEntry,
    build,
    describe,
    effective,
    head_epochs,
    model_entry,
    thaw,
    thawed,
    uses,
)
from aquadash.models.saved import load_model
from aquadash.models.summary import LayerRow, ModelSummary, summarize


def normalise(images: tf.Tensor) -> tf.Tensor:
    """Turn uint8 images of any shape into float32 in [0, 1], which every network of the table takes."""
    return tf.cast(images, tf.float32) / 255.0
