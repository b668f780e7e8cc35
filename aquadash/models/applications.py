"""The networks of ``keras.applications``: pretrained on ImageNet's 1.3 million photographs, with a new head.

Everything that differs between them is in one table, :data:`APPLICATIONS`. Sizes, preprocessing, addresses and hashes
are those of Keras 3.15 (``keras/src/applications/``: ``vgg16.py``, ``resnet.py``, ``inception_v3.py``,
``mobilenet_v2.py``, ``efficientnet_v2.py``, ``imagenet_utils.py``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aquadash.config import ModelConfig
from aquadash.errors import ConfigError
from aquadash.models import transfer
from aquadash.models.inputs import ChannelStatistics
from aquadash.models.weights import ImageNetWeights, PretrainedWeights

if TYPE_CHECKING:
    import keras

_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"

#: MobileNetV2 was trained once for each of these sizes; for any other, Keras takes the weights for 224 pixels.
_MOBILENET_SIZES = (96, 128, 160, 192, 224)

#: Names that Keras makes up, of the kinds of layers that InceptionV3 leaves without one.
_NUMBERED = re.compile(r"(conv2d|batch_normalization|activation|concatenate|(max|average)_pooling2d)(_\d+)?")


@dataclass(frozen=True)
class Pixels:
    """How the pixel values of an image in [0, 1] reach a network: swapped, multiplied, then added to."""

    #: Whether the channels come as blue, green and red.
    blue_first: bool
    #: The factor, one for all channels or one for each.
    scale: float | tuple[float, float, float]
    #: What is added, likewise; in the network's order of channels.
    offset: float | tuple[float, float, float]


#: From 0 to 255, blue first, the mean colour of ImageNet's images taken off: as in Caffe, where VGG16 comes from.
CAFFE = Pixels(True, 255.0, (-103.939, -116.779, -123.68))

#: From -1 to 1.
SYMMETRIC = Pixels(False, 2.0, -1.0)

#: Each channel's mean over ImageNet taken off and its deviation divided out; what EfficientNetV2's own first layers do.
_MEANS = (0.485, 0.456, 0.406)
_DEVIATIONS = (0.229, 0.224, 0.225)
STANDARDIZED = Pixels(
    False,
    (1 / _DEVIATIONS[0], 1 / _DEVIATIONS[1], 1 / _DEVIATIONS[2]),
    (-_MEANS[0] / _DEVIATIONS[0], -_MEANS[1] / _DEVIATIONS[1], -_MEANS[2] / _DEVIATIONS[2]),
)


@dataclass(frozen=True)
class Application:
    """A network of ``keras.applications``."""

    #: A short name for a menu.
    title: str
    #: What it is, in a sentence.
    summary: str
    #: Its name in ``keras.applications``.
    function: str
    #: How pixel values reach it.
    pixels: Pixels
    #: How the names of the layers of its topmost blocks begin.
    top: tuple[str, ...]
    #: How many numbers it has without its own head.
    params: int
    #: Where its weights are; ``{size}`` stands for the side of the images.
    url: str
    #: Hash of that file; None where Keras names none.
    md5: str | None
    #: Size of that file.
    megabytes: float
    #: Side in pixels of the images that it was trained with.
    size: int = 224
    #: The smallest side that it takes.
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
        top=("block5",),
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
        top=("conv5",),
        params=23_587_712,
        url=f"{_STORE}/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="4d473c1dd8becc155b73f8504c6f6626",
        megabytes=94.765736,
    ),
    "inceptionv3": Application(
        "InceptionV3 (2015)",
        "Blocks that look through windows of several sizes at once, pretrained on ImageNet. Szegedy et al. 2015.",
        function="InceptionV3",
        size=299,
        smallest=75,
        pixels=SYMMETRIC,
        top=("mixed9", "mixed10"),
        params=21_802_784,
        url=f"{_STORE}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        md5="bcbd6486424b2319ff4ef7d526e38f63",
        megabytes=87.910968,
    ),
    "mobilenetv2": Application(
        "MobileNetV2 (2018)",
        "Small and fast, made for telephones, pretrained on ImageNet. Sandler et al. 2018.",
        function="MobileNetV2",
        pixels=SYMMETRIC,
        top=("block_16", "Conv_1"),
        params=2_257_984,
        url=f"{_STORE}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{{size}}_no_top.h5",
        md5=None,
        megabytes=9.406464,
    ),
    "efficientnetv2b0": Application(
        "EfficientNetV2-B0 (2021)",
        "Found by a search for what is accurate and quick to train, pretrained on ImageNet. Tan and Le 2021.",
        function="EfficientNetV2B0",
        pixels=STANDARDIZED,
        top=("block6", "top"),
        params=5_919_312,
        url=f"{_STORE}/efficientnet_v2/efficientnetv2-b0_notop.h5",
        md5="893217f2bb855e2983157299931e43ff",
        megabytes=24.274472,
        options={"include_preprocessing": False},
    ),
}


def input_size(config: ModelConfig) -> int:
    """Side in pixels of what the network looks at.

    Raises:
        ConfigError: It is smaller than the network can take.
    """
    application = APPLICATIONS[config.name]
    size = config.input_size or application.size
    if size < application.smallest:
        raise ConfigError(
            f"model.input_size is {size}, but {application.title} needs images of at least {application.smallest} "
            f"pixels a side. Choose {application.smallest} or more, or 0 for the {application.size} that it was "
            "trained with."
        )
    return size


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """The network with a new head; its body has random weights until the pretrained ones are loaded.

    The body takes images of the data set's own size and enlarges them itself. Its layers are its own, not nested in
    another model, so that a table, a heat map or fine-tuning finds them by name.

    Raises:
        ConfigError: The input size is too small for the network.
    """
    import keras

    application, size = APPLICATIONS[config.name], input_size(config)
    inputs = keras.Input(image_shape, name="images")
    network = getattr(keras.applications, application.function)(
        include_top=False,
        weights=None,
        input_shape=(size, size, 3),
        input_tensor=_prepared(inputs, application.pixels, size),
        **application.options,
    )
    _make_repeatable(network)
    outputs = keras.layers.GlobalAveragePooling2D(dtype="float32", name="features")(network.output)
    body = keras.Model(inputs, outputs, name=transfer.BODY)
    return transfer.compose(body, config, num_classes)


def weights(config: ModelConfig) -> PretrainedWeights:
    """Where the body's weights come from.

    Raises:
        ConfigError: The input size is too small for the network.
    """
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


def _prepared(inputs: keras.KerasTensor, pixels: Pixels, size: int) -> keras.KerasTensor:
    """Images in [0, 1], enlarged to ``size`` and with the pixel values that the network was trained with."""
    import keras
    from keras import layers

    # Without training=False a Resizing layer at the start puts all that follows into training mode whenever the network
    # is called without saying which mode: its own default is True, and Keras 3.15 hands it on.
    resize = layers.Resizing(size, size, interpolation="bilinear", dtype="float32", name="resize")
    x = resize(inputs, training=False)
    if pixels.blue_first:
        x = keras.ops.flip(x, axis=-1)
    return layers.Rescaling(pixels.scale, pixels.offset, dtype="float32", name="pixels")(x)


def _make_repeatable(network: keras.Model) -> None:
    """Give layers names that do not depend on what was built before, and switch dropout off.

    These bodies always work as they do when they predict, in fine-tuning too, as Keras's guide to transfer learning
    advises. It has ``training=False`` for that, which Keras 3.15 overrides in a network that is called for training.
    """
    import keras

    names = _fixed_names([(layer.name, type(layer).__name__) for layer in network.layers])
    for layer in network.layers:
        layer.name = names.get(layer.name, layer.name)
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0


def _fixed_names(layers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """New names for InceptionV3's layers, which Keras numbers in the order in which a process makes them.

    Its blocks end in layers called ``mixed0`` to ``mixed10``, and the two stretches before them in a pooling; a block's
    other layers get its name and the kind they are.
    """
    names: dict[str, str] = {}
    block: list[str] = []
    stretches = 0
    for name, kind in layers:
        numbered = _NUMBERED.fullmatch(name) is not None
        if numbered:
            block.append(name)
        if numbered and kind == "MaxPooling2D" and stretches < 2:
            stretches += 1
            title = f"stem{stretches}"
        elif re.fullmatch(r"mixed\d+", name):
            title = name
        else:
            continue
        count: Counter[str] = Counter()
        for member in block:
            member_kind = re.sub(r"_\d+$", "", member)
            count[member_kind] += 1
            names[member] = f"{title}_{member_kind}_{count[member_kind]}"
        block.clear()
    return names
