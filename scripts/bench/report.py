"""The report's own ways: its network, its augmentation pipelines and its loop over images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

IMAGE_SHAPE = (32, 32, 3)
CLASS_NAMES = ("beaver", "dolphin", "otter", "seal", "whale")


def random_images(count: int) -> NDArray[np.uint8]:
    """Random images, uint8, shape (count, 32, 32, 3): their content does not change the time."""
    return np.random.default_rng(0).integers(0, 256, (count, *IMAGE_SHAPE), dtype=np.uint8)


def report_model() -> keras.Model:
    """The report's network, untrained, compiled as there."""
    import keras

    from aquadash import models
    from aquadash.presets import preset

    model = models.build(preset("notebook").config.model, image_shape=IMAGE_SHAPE, num_classes=len(CLASS_NAMES))
    model.compile(
        optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    return model


def report_pipelines() -> tuple[Any, Any, Any, Any]:
    """The report's ``seq``, ``seq2``, ``seq3`` and ``seq4`` as it built them, with imgaug's present names."""
    import imgaug.augmenters as iaa

    def shifted(channel: int) -> Any:
        return iaa.WithColorspace(
            to_colorspace="HSV", from_colorspace="RGB", children=iaa.WithChannels(channel, iaa.Add((-50, 50)))
        )

    return (
        iaa.Sequential([iaa.Fliplr(1.0), iaa.GaussianBlur(sigma=(0, 1.0))]),
        iaa.Sequential([iaa.ChannelShuffle(p=0.5), shifted(0), shifted(1), shifted(2)]),
        iaa.Sequential(
            [
                iaa.Sometimes(0.5, iaa.CoarseDropout((0.1, 0.3), size_percent=(0.02, 0.05))),
                iaa.Sometimes(0.5, iaa.Sometimes(0.5, iaa.ChannelShuffle(0.5))),
                iaa.Sometimes(0.5, iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5))),
            ]
        ),
        iaa.Sequential(
            [
                iaa.Multiply((0.5, 1.5), per_channel=0.5),
                iaa.LinearContrast((0.5, 1.5)),
                iaa.BlendAlphaFrequencyNoise(
                    exponent=(-4, 0),
                    foreground=iaa.Multiply((0.5, 1.5), per_channel=True),
                    background=iaa.LinearContrast((0.5, 2.0)),
                ),
            ]
        ),
    )


def report_run(
    pipelines: tuple[Any, Any, Any, Any], images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """The report's way: every image on its own through each pipeline, collected in lists and joined at the end.

    Returns:
        Images and labels, five times as many, and at how many images imgaug's error had to be passed over.
    """
    changed: tuple[list[Any], ...] = ([], [], [], [])
    repeated: tuple[list[Any], ...] = ([], [], [], [])
    failures = 0
    for image, label in zip(images, labels, strict=True):
        for number, sequence in enumerate(pipelines):
            try:
                result = sequence(image=image)
            except AssertionError:
                failures += 1
                result = sequence(image=image)
            changed[number].append(result.reshape(image.shape))
            repeated[number].append(label)
    all_images = np.concatenate([images, *(np.array(part) for part in changed)])
    all_labels = np.concatenate([labels, *(np.array(part) for part in repeated)])
    return all_images, all_labels, failures
