"""What every network of the table must do."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.errors import UnknownNameError
from aquadash.models.applications import APPLICATIONS

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", models.MODELS)
def test_every_network_gives_probabilities(name: str) -> None:
    config = ModelConfig(name=name, **({"input_size": 96} if name in APPLICATIONS else {}))
    model = models.build(config, image_shape=(32, 32, 3), num_classes=7)
    probabilities = np.asarray(model(models.normalise(np.zeros((2, 32, 32, 3), np.uint8))))
    assert probabilities.shape == (2, 7) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_dropout_follows_the_config() -> None:
    model = models.build(ModelConfig(dropout=0.25), image_shape=(32, 32, 3), num_classes=5)
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.25, 0.25]


def test_images_become_float32_of_0_to_1() -> None:
    scaled = np.asarray(models.normalise(np.array([0, 51, 255], np.uint8)))
    assert scaled.dtype == np.float32 and scaled.tolist() == pytest.approx([0, 0.2, 1])


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'notebook'"):
        models.model_entry("notebok")
