"""A run's network as a TensorFlow Lite file, for telephones and small devices."""

from pathlib import Path

from aquadash.config import ModelConfig
from aquadash.predict.remote import shared_process

FILE_NAME = "model.tflite"


def tflite_file(path: Path, config: ModelConfig, *, num_classes: int) -> bytes:
    """Convert a saved network in the process that answers, because the app never imports TensorFlow."""
    return shared_process().ask(convert, path, config, num_classes)


def convert(path: Path, config: ModelConfig, num_classes: int) -> bytes:
    """Convert in this process. The weights of a network that was trained in bfloat16 are stored in float32."""
    import tensorflow as tf

    from aquadash.models import load_model

    model = load_model(path, config, num_classes=num_classes, precision="float32")
    return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
