"""A small residual network for 32x32 images: the body that ``scripts/pretrain_backbone.py`` trains and ships.

Residual pairs as in He et al. 2016, "Deep Residual Learning for Image Recognition", without a projection: width and
size change in plain convolutions between them. Pooling comes before batch normalisation and the activation, where it
leaves a quarter of the values for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.config import ModelConfig
from aquadash.errors import DataError
from aquadash.models import transfer
from aquadash.models.inputs import ChannelStatistics, standardized
from aquadash.models.weights import PretrainedWeights, load_npz

if TYPE_CHECKING:
    import keras

#: The file that comes with AquaDash; ``backbone.md`` beside it is its card.
WEIGHTS_FILE = Path(__file__).parent / "pretrained" / "backbone.npz"

#: Two of the three stages. Training what comes before as well took half as long again and was no better on validation
#: images: edges and colours are the same in all photographs of CIFAR-100.
TOP = ("stage2", "stage3")

#: Filters at 32x32, 16x16, 8x8 and 4x4 pixels.
WIDTHS = (32, 64, 128, 256)

#: Mean and deviation of CIFAR-100's training images by channel, as shares of 255: the usual figures, and those that
#: ``scripts/pretrain_backbone.py`` prints for the 95 classes agree to two digits.
CHANNELS = ChannelStatistics((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """The network with a new head; its body has fresh weights until pretrained ones are loaded."""
    import keras

    inputs = keras.Input(image_shape)
    body = keras.Model(inputs, features(inputs), name=transfer.BODY)
    return transfer.compose(body, config, num_classes)


class _Bundled:
    """The weights file that comes with AquaDash."""

    def check(self) -> None:
        if not WEIGHTS_FILE.is_file():
            raise DataError(
                f"The pretrained weights {WEIGHTS_FILE.name} are missing from this installation of AquaDash. Install "
                "it again, or make them with scripts/pretrain_backbone.py."
            )

    def fetch(self, progress: Callable[[str, float | None], None]) -> Path:
        self.check()
        return WEIGHTS_FILE


def weights(config: ModelConfig) -> PretrainedWeights:
    """Where the body's weights come from: the file that comes with AquaDash."""
    return _Bundled()


def pretrained_body(model: keras.Model) -> keras.Model | None:
    """The body of a fine-tuned network as it was pretrained; None of any other.

    Args:
        model: The whole network, with or without the mirror image.

    Returns:
        From images in [0, 1] to the means over the last map of the stage before the last, (n, width), and the features.
    """
    import keras

    pieces = transfer.parts(transfer.without_flip(model))
    if pieces is None or not WEIGHTS_FILE.is_file():
        return None
    body = keras.models.clone_model(pieces.body)
    try:
        load_npz(body, WEIGHTS_FILE)
    except DataError:
        return None
    before = body.get_layer(f"stage{len(WIDTHS) - 2}_add").output
    return keras.Model(body.inputs, [keras.layers.GlobalAveragePooling2D(dtype="float32")(before), body.output])


def pretrained_digest() -> str:
    """Says which pretrained weights these are; empty where they are missing."""
    return hashlib.sha256(WEIGHTS_FILE.read_bytes()).hexdigest() if WEIGHTS_FILE.is_file() else ""


def features(inputs: keras.KerasTensor) -> keras.KerasTensor:
    """From images to 256 features an image.

    Args:
        inputs: float32 images in [0, 1], (n, height, width, 3); sides of at least 8.
    """
    from keras import layers

    x = _convolution(standardized(inputs, CHANNELS, name="standardize"), WIDTHS[0], name="stem")
    for stage, width in enumerate(WIDTHS[1:], start=1):
        x = _convolution(x, width, pool=True, name=f"stage{stage}_down")
        y = _convolution(x, width, name=f"stage{stage}_first")
        y = _convolution(y, width, name=f"stage{stage}_second")
        x = layers.Add(name=f"stage{stage}_add")([x, y])
    return layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)


def _convolution(x: keras.KerasTensor, width: int, *, name: str, pool: bool = False) -> keras.KerasTensor:
    from keras import layers

    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_convolution")(x)
    if pool:
        x = layers.MaxPooling2D(name=f"{name}_pool")(x)
    x = layers.BatchNormalization(name=f"{name}_normalization")(x)
    return layers.Activation("relu", name=f"{name}_activation")(x)
