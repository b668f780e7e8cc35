"""A small residual network for 32x32 images, whose weights ``scripts/pretrain_backbone.py`` trains.

Residual pairs as in He et al. 2016, "Deep Residual Learning for Image Recognition", without a projection: width and
size change in plain convolutions between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aquadash.config import ModelConfig
from aquadash.errors import DataError
from aquadash.files import file_digest
from aquadash.models import transfer
from aquadash.models.inputs import ChannelStatistics, standardized
from aquadash.models.lazy import keras, layers
from aquadash.models.weights import LocalWeights, load_npz

#: Below the last two of three stages. To train the earlier layers, too, took half as long again and did not raise the
#: validation accuracy.
LAST_FROZEN = "stage1_add"

#: Filters at 32x32, 16x16, 8x8 and 4x4 pixels, by the model's name.
WIDTHS = {"backbone": (32, 64, 128, 256), "backbone_wide": (32, 64, 128, 384)}

#: The files that come with AquaDash, by the model's name; beside each lies its card, in Markdown.
WEIGHTS_FILES = {name: Path(__file__).parent / "pretrained" / f"{name}.npz" for name in WIDTHS}

#: Mean and deviation of CIFAR-100's training images by channel, as fractions of 255: the usual figures. Those of the 95
#: classes, which ``scripts/pretrain_backbone.py`` prints, agree to two digits.
CHANNELS = ChannelStatistics((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build the network with a new head; its body has fresh weights until pretrained ones are loaded."""
    inputs = keras.Input(image_shape)
    body = keras.Model(inputs, features(inputs, WIDTHS[config.name]), name=transfer.BODY)
    return transfer.compose(body, config, num_classes)


def weights(config: ModelConfig) -> LocalWeights:
    """Return the source of the body's weights: a file that comes with AquaDash."""
    path = WEIGHTS_FILES[config.name]
    return LocalWeights(
        [path],
        f"The pretrained weights {path.name} are missing from this installation of AquaDash. Install it again, or make "
        "them with scripts/pretrain_backbone.py.",
    )


@dataclass(frozen=True)
class PretrainedBody:
    """The body of a fine-tuned network as it was before fine-tuning."""

    #: From images in [0, 1] to the means over the last map of the stage before the last, (n, width), and the features.
    model: keras.Model
    #: Hash of the file of its weights.
    digest: str


def pretrained_body(model: keras.Model) -> PretrainedBody | None:
    """Return the body of a fine-tuned network as it was pretrained; None for any other network."""
    pieces = transfer.parts(transfer.without_flip(model))
    if pieces is None:
        return None
    body = keras.models.clone_model(pieces.body)
    for name, path in WEIGHTS_FILES.items():
        try:
            load_npz(body, path)
        except DataError:  # The file is missing, or is of the other network.
            continue
        before = body.get_layer(f"stage{len(WIDTHS[name]) - 2}_add").output
        means = keras.layers.GlobalAveragePooling2D(dtype="float32")(before)
        return PretrainedBody(keras.Model(body.inputs, [means, body.output]), file_digest(path))
    return None


def features(inputs: keras.KerasTensor, widths: tuple[int, ...]) -> keras.KerasTensor:
    """Connect images, float32 in [0, 1], (n, height, width, 3), to features, (n, the last of ``WIDTHS``)."""
    x = _convolution(standardized(inputs, CHANNELS, name="standardize"), widths[0], name="stem")
    for stage, width in enumerate(widths[1:], start=1):
        x = _convolution(x, width, pool=True, name=f"stage{stage}_down")
        y = _convolution(x, width, name=f"stage{stage}_first")
        y = _convolution(y, width, name=f"stage{stage}_second")
        x = layers.Add(name=f"stage{stage}_add")([x, y])
    return layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)


def _convolution(x: keras.KerasTensor, width: int, *, name: str, pool: bool = False) -> keras.KerasTensor:
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_convolution")(x)
    # Pool before normalisation and activation, which then process a quarter of the values.
    if pool:
        x = layers.MaxPooling2D(name=f"{name}_pool")(x)
    x = layers.BatchNormalization(name=f"{name}_normalization")(x)
    return layers.Activation("relu", name=f"{name}_activation")(x)
