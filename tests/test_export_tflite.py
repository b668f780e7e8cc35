"""A network as a TensorFlow Lite file answers as the original does."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from aquadash.config import ModelConfig
from aquadash.export.tflite import convert
from aquadash.predict import Predictor

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)

NETWORK = ModelConfig(
    name="cnn", filters=(8,), batch_normalization=True, normalization="symmetric", dense_units=(), test_time_flip=True
)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_it_answers_twenty_images_as_the_original_does(precision: str, tolerance: float, tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    from aquadash import models
    from aquadash.models.transfer import with_flip

    keras.utils.set_random_seed(1)
    path = tmp_path / "model.keras"
    with_flip(models.build(NETWORK, image_shape=(16, 16, 3), num_classes=4, precision=precision)).save(path)

    with warnings.catch_warnings():
        # Its successor is a package of its own, which reads the same files.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=convert(path, NETWORK, 4))
    takes, gives = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    interpreter.resize_tensor_input(takes, IMAGES.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(takes, IMAGES.astype(np.float32) / 255)
    interpreter.invoke()
    expected = Predictor.load(path, NETWORK, class_names="abcd").predict_images(IMAGES)
    np.testing.assert_allclose(interpreter.get_tensor(gives), expected, atol=tolerance)
