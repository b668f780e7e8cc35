"""The scaling of pixel values in a network's first layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.models.lazy import keras, layers


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and deviation of each colour channel, as fractions of full brightness."""

    #: 0 to 1.
    means: tuple[float, ...]
    #: More than 0.
    deviations: tuple[float, ...]

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> ChannelStatistics:
        """Measure them over images, uint8 (n, height, width, channels)."""
        # Sums of integers are exact: the result is the same on every machine, and with any number of images.
        counts = np.zeros((images.shape[-1], 256), np.int64)
        for image in images:  # One by one: bincount copies its input to int64, eight times as large.
            counts += [np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(image, -1, 0)]
        levels = np.arange(256) / 255.0
        means = [float(count @ levels / count.sum()) for count in counts]
        squares = [float(count @ levels**2 / count.sum()) for count in counts]
        deviations = [max(1e-3, max(0.0, s - m * m) ** 0.5) for s, m in zip(squares, means, strict=True)]
        return cls(tuple(means), tuple(deviations))


#: Placeholder for a network that is built without images, as for a table of its layers.
UNKNOWN = ChannelStatistics((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def resized(inputs: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """Add a layer that enlarges images to ``size`` pixels a side."""
    # The default of Resizing is training=True, and Keras 3.15 passes it on: the layers after it would be in training
    # mode whenever the network is called without a mode.
    resize = layers.Resizing(size, size, interpolation="bilinear", dtype="float32", name="resize")
    return resize(inputs, training=False)


def standardized(inputs: keras.KerasTensor, statistics: ChannelStatistics, *, name: str) -> keras.KerasTensor:
    """Add a layer that subtracts the channels' means and divides by their deviations."""
    scale = [1 / deviation for deviation in statistics.deviations]
    offset = [-mean / deviation for mean, deviation in zip(statistics.means, statistics.deviations, strict=True)]
    return layers.Rescaling(scale, offset, dtype="float32", name=name)(inputs)
