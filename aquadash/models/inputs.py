"""How pixel values reach a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and deviation of each colour channel, as shares of full brightness."""

    #: One a channel, 0 to 1.
    means: tuple[float, ...]
    #: One a channel, more than 0.
    deviations: tuple[float, ...]

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> ChannelStatistics:
        """Measure them over images, uint8 (n, height, width, channels)."""
        import numpy as np

        # From whole-number sums: exact, whatever the number of images, and the same on every machine.
        counts = np.zeros((images.shape[-1], 256), np.int64)
        for image in images:  # All at once would be copied as numbers eight times as wide.
            counts += [np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(image, -1, 0)]
        levels = np.arange(256) / 255.0
        means = [float(count @ levels / count.sum()) for count in counts]
        squares = [float(count @ levels**2 / count.sum()) for count in counts]
        deviations = [max(1e-3, max(0.0, s - m * m) ** 0.5) for s, m in zip(squares, means, strict=True)]
        return cls(tuple(means), tuple(deviations))


#: What a network is built with when there are no images yet, as for a table of its layers.
UNKNOWN = ChannelStatistics((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def standardized(inputs: keras.KerasTensor, statistics: ChannelStatistics, *, name: str) -> keras.KerasTensor:
    """Images in [0, 1] with the channels' means taken off and their deviations divided out, by a layer called so."""
    from keras import layers

    scale = [1 / deviation for deviation in statistics.deviations]
    offset = [-mean / deviation for mean, deviation in zip(statistics.means, statistics.deviations, strict=True)]
    return layers.Rescaling(scale, offset, dtype="float32", name=name)(inputs)
