"""The networks of ``keras.applications``: pretrained on ImageNet's 1.3 million photographs, with a new head.

Sizes, preprocessing, addresses and hashes are those of Keras 3.15 (``keras/src/applications/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aquadash.config import ModelConfig
from aquadash.errors import ConfigError
from aquadash.models import transfer
from aquadash.models.inputs import ChannelStatistics, resized
from aquadash.models.lazy import keras, layers
from aquadash.models.weights import ImageNetWeights

_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"

#: MobileNetV2 was trained once for each of these sizes; for any other, Keras takes the weights for 224 pixels.
_MOBILENET_SIZES = (96, 128, 160, 192, 224)


@dataclass(frozen=True)
class Pixels:
    """The pixel values that a network was trained with: channels in its order, times ``scale``, plus ``offset``."""

    #: Whether the channels are blue, green and red.
    blue_first: bool
    #: The factor for all channels, or one for each.
    scale: float | tuple[float, float, float]
    #: The summand for all channels, or one for each, in the network's order of channels.
    offset: float | tuple[float, float, float]


#: 0 to 255, blue first, minus the mean colour of ImageNet's images: as in Caffe, where VGG16 comes from.
CAFFE = Pixels(True, 255.0, (-103.939, -116.779, -123.68))

#: -1 to 1.
SYMMETRIC = Pixels(False, 2.0, -1.0)

#: ImageNet's mean is 0 and its deviation 1 in each channel, as EfficientNetV2's own first layers make them.
STANDARDIZED = Pixels(False, (1 / 0.229, 1 / 0.224, 1 / 0.225), (-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225))


@dataclass(frozen=True)
class Application:
    """A network of ``keras.applications``."""

    #: A short name for a menu.
    title: str
    #: A sentence that describes it.
    summary: str
    #: Its name in ``keras.applications``.
    function: str
    #: The pixel values that it takes.
    pixels: Pixels
    #: The last layer below its topmost blocks.
    last_frozen: str
    #: The number of its parameters without its own head.
    params: int
    #: Address of its weights; ``{size}`` stands for the side of the images.
    url: str
    #: Hash of that file; None where Keras names none.
    md5: str | None
    #: Size of that file.
    megabytes: float
    #: Side in pixels of the images that it was trained with.
    size: int = 224
    #: Side in pixels of the smallest images that it takes.
    smallest: int = 32
    #: More arguments of the function.
    options: Mapping[str, Any] = field(default_factory=dict)


APPLICATIONS: dict[str, Application] = {
    "vgg16": Application(
        "VGG16 (2014)",
        "Thirteen plain 3x3 convolutions, pretrained on ImageNet: simple, and by far the slowest here. Simonyan and "
        "Zisserman 2014.",
        function="VGG16",
        pixels=CAFFE,
        last_frozen="block4_pool",
        params=14_714_688,
        url=f"{_STORE}/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="6d6bbae143d832006294945121d1f1fc",
        megabytes=58.889256,
    ),
    "resnet50": Application(
        "ResNet50 (2015)",
        "Fifty layers with shortcuts around every three of them, pretrained on ImageNet. He et al. 2015.",
        function="ResNet50",
        pixels=CAFFE,
        last_frozen="conv4_block6_out",
        params=23_587_712,
        url=f"{_STORE}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="4d473c1dd8becc155b73f8504c6f6626",
        megabytes=94.765736,
    ),
    "inceptionv3": Application(
        "InceptionV3 (2015)",
        "Blocks that combine filters of several sizes, pretrained on ImageNet. Szegedy et al. 2015.",
        function="InceptionV3",
        size=299,
        smallest=75,
        pixels=SYMMETRIC,
        last_frozen="mixed8",
        params=21_802_784,
        url=f"{_STORE}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="bcbd6486424b2319ff4ef7d526e38f63",
        megabytes=87.910968,
    ),
    "mobilenetv2": Application(
        "MobileNetV2 (2018)",
        "Small and fast, made for phones, pretrained on ImageNet. Sandler et al. 2018.",
        function="MobileNetV2",
        pixels=SYMMETRIC,
        last_frozen="block_15_add",
        params=2_257_984,
        url=f"{_STORE}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{{size}}_no_top.h5",
        md5=None,
        megabytes=9.406464,
    ),
    "efficientnetv2b0": Application(
        "EfficientNetV2-B0 (2021)",
        "An automatic search chose its layers for accuracy and fast training. Pretrained on ImageNet. Tan and Le 2021.",
        function="EfficientNetV2B0",
        pixels=STANDARDIZED,
        last_frozen="block5e_add",
        params=5_919_312,
        url=f"{_STORE}/efficientnet_v2/efficientnetv2-b0_notop.h5",
        md5="893217f2bb855e2983157299931e43ff",
        megabytes=24.274472,
        options={"include_preprocessing": False},
    ),
}


def input_size(config: ModelConfig) -> int:
    """Return the side in pixels of the images that reach the body; a ConfigError says that it is too small."""
    application = APPLICATIONS[config.name]
    size = config.input_size or application.size
    if size < application.smallest:
        raise ConfigError(
            f"model.input_size is {size}, but {application.title} needs images of at least {application.smallest} "
            f"pixels a side. Choose {application.smallest} or more, or 0 for {application.size}, its size in "
            "pretraining."
        )
    return size


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build the network with a new head; its body enlarges the images itself and has random weights."""
    application, size = APPLICATIONS[config.name], input_size(config)
    inputs = keras.Input(image_shape, name="images")
    x, pixels = resized(inputs, size), application.pixels
    if pixels.blue_first:
        x = keras.ops.flip(x, axis=-1)
    # input_tensor keeps the layers in the body, where a table, a heat map or fine-tuning finds them by name.
    network = getattr(keras.applications, application.function)(
        include_top=False,
        weights=None,
        input_shape=(size, size, 3),
        input_tensor=layers.Rescaling(pixels.scale, pixels.offset, dtype="float32", name="pixels")(x),
        **application.options,
    )
    # The body works in training as it does when it predicts. Keras's guide to transfer learning calls it with
    # training=False, but Keras 3.15 overrides that where the whole network is called for training. thaw_body freezes
    # batch normalisation for the same reason.
    for layer in network.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    outputs = keras.layers.GlobalAveragePooling2D(dtype="float32", name="features")(network.output)
    body = keras.Model(inputs, outputs, name=transfer.BODY)
    return transfer.compose(body, config, num_classes)


def weights(config: ModelConfig) -> ImageNetWeights:
    """Return the source of the body's weights."""
    application, size = APPLICATIONS[config.name], input_size(config)
    if size not in _MOBILENET_SIZES:
        size = application.size
    return ImageNetWeights(
        title=application.title,
        url=application.url.format(size=size),
        md5=application.md5,
        size=round(application.megabytes * 1e6),
        params=application.params,
    )
