"""A run's network as Keras code, layer by layer, from its settings alone: TensorFlow is not needed to write it."""

from __future__ import annotations

from collections.abc import Callable

from aquadash.config import ModelConfig
from aquadash.errors import RunError
from aquadash.models import backbone, model_entry

#: The file with the body's weights that travels with the code of the network ``backbone``.
BACKBONE_FILE = "backbone.npz"

_POOLING = {"max": "MaxPooling2D", "average": "AveragePooling2D"}
_SUMMARY = {"flatten": "Flatten", "average": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D"}


def network_code(config: ModelConfig, *, image_shape: tuple[int, int, int], num_classes: int) -> str:
    """Code that defines ``model``, and ``body`` and ``head`` for a network with a pretrained body.

    It makes the layers in the order in which :func:`aquadash.models.build` makes them, so that the same global seed
    gives the same first weights. It expects ``keras``, ``layers``, ``np``, ``train_images`` and ``HERE``.

    Args:
        config: The model section of a run's config.
        image_shape: Height, width and channels.
        num_classes: How many probabilities it gives an image.

    Raises:
        RunError: The network's code cannot stand alone.
    """
    writer = _WRITERS.get(config.name)
    if writer is None and not model_entry(config.name).pretrained:
        raise RunError(
            f"A script without AquaDash cannot build the network {config.name!r}; the trained model itself is complete."
        )
    if writer is None:
        raise RunError(
            f"The network {config.name!r} starts from weights that other people have trained on ImageNet and offer for "
            "download. They are no part of the run, so a script without AquaDash cannot repeat it; the trained model "
            "itself is complete."
        )
    return "\n".join(writer(config, image_shape, num_classes))


def has_code(config: ModelConfig) -> bool:
    """Whether :func:`network_code` can write the network."""
    return config.name in _WRITERS


def _notebook(config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int) -> list[str]:
    return [
        "# The convolutions have no activation: the pooling is the only non-linear part before the dense layers.",
        "model = keras.Sequential(",
        "    [",
        f"        keras.Input({image_shape!r}),",
        '        layers.Conv2D(32, kernel_size=(2, 2), strides=(2, 2), padding="same"),',
        '        layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),',
        '        layers.Conv2D(64, kernel_size=(2, 2), strides=(2, 2), padding="same"),',
        '        layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),',
        "        layers.Flatten(),",
        '        layers.Dense(256, activation="relu"),',
        f"        layers.Dropout({config.dropout!r}),",
        '        layers.Dense(128, activation="relu"),',
        f"        layers.Dropout({config.dropout!r}),",
        f'        layers.Dense({num_classes}, activation="softmax", dtype="float32"),',
        "    ],",
        '    name="notebook",',
        ")",
    ]


def _convolutional(config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int) -> list[str]:
    penalized = bool(config.l1 or config.l2)
    penalty = ", kernel_regularizer=penalty" if penalized else ""
    lines = []
    if penalized:
        lines.append(f"penalty = keras.regularizers.L1L2({config.l1!r}, {config.l2!r})")
    lines.append(f"inputs = keras.Input({image_shape!r})")
    lines += _normalization(config.normalization)
    for block, width in enumerate(config.filters, start=1):
        lines += ["", f"# Block {block}"]
        lines += _convolution(config, width, penalty, first=True)
        for number in range(2, config.convolutions + 1):
            if config.residual and number == 2:
                lines.append("shortcut = x")
            lines += _convolution(config, width, penalty, first=False)
        if config.residual and config.convolutions > 1:
            lines.append("x = layers.Add()([shortcut, x])")
    lines += ["", f"x = layers.{_SUMMARY[config.summary]}()(x)"]
    lines += _dense_layers(config, num_classes, penalty)
    return [*lines, 'model = keras.Model(inputs, outputs, name="cnn")']


def _normalization(kind: str) -> list[str]:
    """Lines from ``inputs`` to ``x``."""
    if kind == "symmetric":
        return ['x = layers.Rescaling(2.0, -1.0, dtype="float32", name="normalization")(inputs)']
    if kind == "standardize":
        return [
            "# Each channel's mean over the training images is taken off, and its deviation divided out.",
            "levels = np.arange(256) / 255.0",
            "channels = train_images.reshape(-1, train_images.shape[-1]).T",
            "channel_counts = [np.bincount(channel, minlength=256) for channel in channels]",
            "means = [float(c @ levels / c.sum()) for c in channel_counts]",
            "squares = [float(c @ levels**2 / c.sum()) for c in channel_counts]",
            "deviations = [max(1e-3, max(0.0, s - m * m) ** 0.5) for s, m in zip(squares, means)]",
            "scale = [1 / deviation for deviation in deviations]",
            "offset = [-mean / deviation for mean, deviation in zip(means, deviations)]",
            'x = layers.Rescaling(scale, offset, dtype="float32", name="normalization")(inputs)',
        ]
    return ["x = inputs"]


def _convolution(config: ModelConfig, width: int, penalty: str, *, first: bool) -> list[str]:
    strides = config.strides if first else 1
    bias = "" if not config.batch_normalization else ", use_bias=False"
    lines = [
        f'x = layers.Conv2D({width}, {config.kernel_size}, strides={strides}, padding="same"{bias}{penalty})(x)',
    ]
    if first and config.pooling != "none":
        pooling = _POOLING[config.pooling]
        lines.append(f'x = layers.{pooling}({config.pool_size}, strides={config.pool_strides}, padding="same")(x)')
    if config.batch_normalization:
        lines.append("x = layers.BatchNormalization()(x)")
    if config.activation != "linear":
        lines.append(f'x = layers.Activation("{config.activation}")(x)')
    return lines


def _dense_layers(config: ModelConfig, num_classes: int, penalty: str) -> list[str]:
    """Lines from ``x`` to ``outputs``; dropout comes first where there are no dense layers."""
    lines = []
    if not config.dense_units:
        lines.append(f"x = layers.Dropout({config.dropout!r})(x)")
    for units in config.dense_units:
        lines.append(f'x = layers.Dense({units}, activation="{config.dense_activation}"{penalty})(x)')
        lines.append(f"x = layers.Dropout({config.dropout!r})(x)")
    lines.append(f'outputs = layers.Dense({num_classes}, activation="softmax"{penalty}, dtype="float32")(x)')
    return lines


def _backbone(config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int) -> list[str]:
    penalty = ", kernel_regularizer=penalty" if config.l2 else ""
    scale = [1 / deviation for deviation in backbone.CHANNEL_DEVIATIONS]
    means = zip(backbone.CHANNEL_MEANS, backbone.CHANNEL_DEVIATIONS, strict=True)
    offset = [-mean / deviation for mean, deviation in means]
    lines = [
        "def convolution(x, width, name, pool=False):",
        '    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_convolution")(x)',
        "    if pool:",
        '        x = layers.MaxPooling2D(name=f"{name}_pool")(x)',
        '    x = layers.BatchNormalization(name=f"{name}_normalization")(x)',
        '    return layers.Activation("relu", name=f"{name}_activation")(x)',
        "",
        "",
        "# The body has learnt to see from CIFAR-100's other 95 classes: images to 256 features.",
        f"inputs = keras.Input({image_shape!r})",
        f"scale = {scale!r}",
        f"offset = {offset!r}",
        'x = layers.Rescaling(scale, offset, dtype="float32", name="standardize")(inputs)',
        f'x = convolution(x, {backbone.WIDTHS[0]}, "stem")',
        f"for stage, width in enumerate({backbone.WIDTHS[1:]!r}, start=1):",
        '    x = convolution(x, width, f"stage{stage}_down", pool=True)',
        '    y = convolution(x, width, f"stage{stage}_first")',
        '    y = convolution(y, width, f"stage{stage}_second")',
        '    x = layers.Add(name=f"stage{stage}_add")([x, y])',
        'x = layers.GlobalAveragePooling2D(dtype="float32", name="features")(x)',
        'body = keras.Model(inputs, x, name="body")',
        "",
        "# The head is new: features to probabilities of the classes.",
    ]
    if config.l2:
        lines.append(f"penalty = keras.regularizers.L2({config.l2!r})")
    lines += [
        'features_in = keras.Input(body.output_shape[1:], name="features")',
        f"x = layers.Dropout({config.dropout!r})(features_in)",
    ]
    # The dropout before the first dense layer is there with and without dense layers.
    lines += _dense_layers(config, num_classes, penalty)[0 if config.dense_units else 1 :]
    return [
        *lines,
        'head = keras.Model(features_in, outputs, name="head")',
        "",
        f"inputs = keras.Input({image_shape!r})",
        'model = keras.Model(inputs, head(body(inputs)), name="backbone_transfer")',
        f'with np.load(HERE / "{BACKBONE_FILE}") as arrays:',
        "    for variable in body.weights:",
        '        variable.assign(arrays[variable.path.replace("/", ".")].astype(np.float32))',
    ]


_WRITERS: dict[str, Callable[[ModelConfig, tuple[int, int, int], int], list[str]]] = {
    "notebook": _notebook,
    "cnn": _convolutional,
    "backbone": _backbone,
}
