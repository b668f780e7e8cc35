"""Images blended with one another, and the labels in the same shares.

mixup (Zhang et al. 2018, https://arxiv.org/abs/1710.09412) lays one image over another, CutMix (Yun et al. 2019,
https://arxiv.org/abs/1905.04899) pastes a rectangle of one into another. Both are one operation here: a mask says how
much of each pixel is the image's own, the rest is its partner's, and the mean of the mask is the share of its label. As
in the authors' own code, a share is drawn for each batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash.config import AugmentationConfig
from aquadash.training.randomness import Purpose


class Mixes(NamedTuple):
    """How the batches of an epoch are mixed."""

    #: Positions of the images that are mixed in, in the order of the images visited, int32 (visited,).
    partners: tf.Tensor
    #: How much of each pixel stays, 0 to 1, float32 (batches, height, width, 1). The mean of each is at least one half,
    #: but for the rounding to whole pixels, so that most of a mixed image is its own.
    masks: tf.Tensor


def draw_mixes(
    config: AugmentationConfig,
    order: NDArray[np.int32],
    *,
    seed: int,
    epoch: int,
    batch_size: int,
    image_shape: tuple[int, ...],
) -> Mixes | None:
    """The mixes of an epoch, from the run's seed and the epoch's number; None where nothing is mixed."""
    if config.mixing == "none" or batch_size == 1:
        return None
    generator = np.random.default_rng([seed, int(Purpose.MIXING), epoch])
    starts = range(0, len(order), batch_size)
    # Partners come from the same batch.
    partners = [generator.permutation(order[start : start + batch_size]) for start in starts]
    fractions = generator.beta(config.mixing_alpha, config.mixing_alpha, size=len(starts))
    masks = np.empty((len(starts), *image_shape[:2], 1), np.float32)
    for mask, fraction in zip(masks, fractions, strict=True):
        mask[..., 0] = _MASKS[config.mixing](max(fraction, 1.0 - fraction), (image_shape[0], image_shape[1]), generator)
    return Mixes(tf.constant(np.concatenate(partners).astype(np.int32)), tf.constant(masks))


def mix(images: tf.Tensor, partners: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mixed images, float32 like ``images`` (batch, height, width, channels), and the share that is their own."""
    return partners + mask * (images - partners), tf.reduce_mean(mask)


def _blend(fraction: float, size: tuple[int, int], generator: np.random.Generator) -> NDArray[np.float64]:
    return np.full(size, fraction)


def _paste(fraction: float, size: tuple[int, int], generator: np.random.Generator) -> NDArray[np.float64]:
    """A rectangle of the image's own proportions, cut off where it reaches over the edge."""
    mask = np.ones(size)
    sides = [length * np.sqrt(1.0 - fraction) for length in size]
    centres = [generator.integers(length) for length in size]
    top, left = (round(max(0.0, centre - side / 2)) for centre, side in zip(centres, sides, strict=True))
    bottom, right = (round(centre + side / 2) for centre, side in zip(centres, sides, strict=True))
    mask[top:bottom, left:right] = 0.0
    return mask


_MASKS: dict[str, Callable[[float, tuple[int, int], np.random.Generator], NDArray[np.float64]]] = {
    "mixup": _blend,
    "cutmix": _paste,
}
