"""The multi-layer perceptron: dense layers alone, to compare with networks that have convolutions."""

from __future__ import annotations

from aquadash.config import ModelConfig
from aquadash.models.convolutional import dense_layers, normalized
from aquadash.models.inputs import ChannelStatistics
from aquadash.models.lazy import keras, layers


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build dense layers on all pixels in one row; a ConfigError says that it would have too many parameters.

    The default settings give the dense layers of the report's CNN: 820,229 parameters with 32x32x3 images and five
    classes.
    """
    inputs = keras.Input(image_shape)
    x = layers.Flatten()(normalized(inputs, config, statistics))
    outputs = dense_layers(x, config, num_classes, advice="Use fewer units or smaller images.")
    return keras.Model(inputs, outputs, name="perceptron")
