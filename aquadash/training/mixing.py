"""mixup (Zhang et al. 2018, https://arxiv.org/abs/1710.09412) and CutMix (Yun et al. 2019, .../abs/1905.04899).

Both are one operation here: a mask is the fraction of each pixel that stays, the image's partner gives the other part,
and the mean of the mask weighs the two labels. As in the authors' code, one fraction is drawn for each batch.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from aquadash.config import RunConfig
from aquadash.training.randomness import Purpose


class Mixes(NamedTuple):
    """The partners and masks of an epoch."""

    #: Positions of the images that are mixed in, in the order of the images visited, int32 (visited,).
    partners: tf.Tensor
    #: The fraction of each pixel that stays, float32 (batches, height, width, 1); its mean is at least about one half.
    masks: tf.Tensor


def draw_mixes(
    config: RunConfig, order: NDArray[np.int32], *, epoch: int, image_shape: tuple[int, ...]
) -> Mixes | None:
    """Draw the mixes of an epoch from the run's seed and the epoch's number; None where nothing is mixed."""
    mixing, alpha, batch_size = config.augmentation.mixing, config.augmentation.mixing_alpha, config.training.batch_size
    if mixing == "none" or batch_size == 1:
        return None
    generator = np.random.default_rng([config.seed, int(Purpose.MIXING), epoch])
    starts = range(0, len(order), batch_size)
    # Partners come from the same batch.
    partners = [generator.permutation(order[start : start + batch_size]) for start in starts]
    fractions = generator.beta(alpha, alpha, size=len(starts))
    masks = np.empty((len(starts), *image_shape[:2], 1), np.float32)
    for mask, fraction in zip(masks, np.maximum(fractions, 1.0 - fractions), strict=True):
        mask[..., 0] = fraction if mixing == "mixup" else _cutmix_mask(fraction, image_shape[:2], generator)
    return Mixes(tf.constant(np.concatenate(partners).astype(np.int32)), tf.constant(masks))


def mix(images: tf.Tensor, partners: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return mixed images, float32 (batch, height, width, channels), and the weight of their own labels."""
    return partners + mask * (images - partners), tf.reduce_mean(mask)


def _cutmix_mask(fraction: float, size: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float64]:
    """Cut out a rectangle of the image's proportions, clipped at the image's edge."""
    mask = np.ones(size)
    sides = [length * np.sqrt(1.0 - fraction) for length in size]
    centres = [generator.integers(length) for length in size]
    top, left = (round(max(0.0, centre - side / 2)) for centre, side in zip(centres, sides, strict=True))
    bottom, right = (round(centre + side / 2) for centre, side in zip(centres, sides, strict=True))
    mask[top:bottom, left:right] = 0.0
    return mask
