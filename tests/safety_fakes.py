"""A network without TensorFlow whose answers are known, and images for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash.robustness.label_safety import Subjects


class ContrastReader:
    """Sees "striped" while the stripes are strong enough, else "plain"."""

    image_shape = (16, 16, 3)
    class_names = ("plain", "striped")

    def __init__(self) -> None:
        self.asked = 0

    def predict_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += len(images)
        shares = np.full((len(images), 2), 0.1, np.float32)
        striped = images.astype(float).std(axis=(1, 2, 3)) >= 40.0
        shares[np.arange(len(images)), striped.astype(int)] = 0.9
        return shares


def striped(strengths: list[int]) -> Subjects:
    """Grey images with vertical stripes: the standard deviation of their pixels is the strength."""
    images = np.full((len(strengths), 16, 16, 3), 128, np.int64)
    for image, strength in zip(images, strengths, strict=True):
        image[:, ::2] += strength
        image[:, 1::2] -= strength
    labels = np.ones(len(strengths), np.int64)
    return Subjects(images.clip(0, 255).astype(np.uint8), labels, tuple(range(len(strengths))), "validation")
