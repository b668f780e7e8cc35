"""The report's CNN, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquadash.config import ModelConfig
from aquadash.models.inputs import ChannelStatistics

if TYPE_CHECKING:
    import keras


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build the network of the report's section "Building our Convolutional Base".

    The convolutions have no activation function, as in the report: each is linear, and the max pooling after it is the
    only nonlinearity of the convolutional part. With 32x32x3 images and five classes it has 1,091,045 parameters.
    """
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(32, kernel_size=(2, 2), strides=(2, 2), padding="same"),
            layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),
            layers.Conv2D(64, kernel_size=(2, 2), strides=(2, 2), padding="same"),
            layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(config.dropout),
            layers.Dense(128, activation="relu"),
            layers.Dropout(config.dropout),
            layers.Dense(num_classes, activation="softmax", dtype="float32"),
        ],
        name="notebook",
    )
