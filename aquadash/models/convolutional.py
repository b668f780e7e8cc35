"""Networks from scratch: the report's, layer by layer, one of the student's own design, and dense layers alone.

The second's default settings are the first.
"""

from __future__ import annotations

from itertools import pairwise

from aquadash.config import ModelConfig
from aquadash.errors import ConfigError
from aquadash.models.inputs import ChannelStatistics, standardized
from aquadash.models.lazy import keras, layers

#: Larger dense layers need more memory than a laptop has.
_MAX_DENSE = 50_000_000
#: Version 0.6.0 had no limit for convolutions; its networks up to this size still open.
_MAX_CONVOLUTIONAL = 100_000_000


def build_notebook(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build the network of the report's section "Building our Convolutional Base"."""
    # As in the report, the convolutions have no activation: max pooling is the only nonlinearity before the dense part.
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(32, kernel_size=(2, 2), strides=(2, 2), padding="same"),
            layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),
            layers.Conv2D(64, kernel_size=(2, 2), strides=(2, 2), padding="same"),
            layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(config.dropout),
            layers.Dense(128, activation="relu"),
            layers.Dropout(config.dropout),
            layers.Dense(num_classes, activation="softmax", dtype="float32"),
        ],
        name="notebook",
    )


def build(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build the network that the settings describe; a ConfigError says that it would have too many parameters."""
    convolution_parameters = sum(
        config.kernel_size**2 * width * (before + (config.convolutions - 1) * width)
        for before, width in pairwise((image_shape[-1], *config.filters))
    )
    if convolution_parameters > _MAX_CONVOLUTIONAL:
        raise ConfigError(
            f"The convolutions would have {convolution_parameters:,} parameters; at most {_MAX_CONVOLUTIONAL:,} "
            "are allowed. Use fewer filters, smaller kernels or fewer convolutions."
        )
    inputs = keras.Input(image_shape)
    x = _normalized(inputs, config, statistics)
    for width in config.filters:
        x = _block(x, width, config)
    summaries = {"flatten": layers.Flatten, "average": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}
    x = summaries[config.summary]()(x)
    outputs = _dense_layers(
        x,
        config,
        num_classes,
        advice="Let the blocks shrink the image more (strides or pooling by 2), take the mean of each filter, or use "
        "fewer units.",
    )
    return keras.Model(inputs, outputs, name="cnn")


def build_perceptron(
    config: ModelConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: ChannelStatistics
) -> keras.Model:
    """Build dense layers on all pixels in one row; a ConfigError says that it would have too many parameters."""
    inputs = keras.Input(image_shape)
    x = layers.Flatten()(_normalized(inputs, config, statistics))
    outputs = _dense_layers(x, config, num_classes, advice="Use fewer units or smaller images.")
    return keras.Model(inputs, outputs, name="perceptron")


def _normalized(x: keras.KerasTensor, config: ModelConfig, statistics: ChannelStatistics) -> keras.KerasTensor:
    if config.normalization == "symmetric":
        return layers.Rescaling(2.0, -1.0, dtype="float32", name="normalization")(x)
    return standardized(x, statistics, name="normalization") if config.normalization == "standardize" else x


def _dense_layers(x: keras.KerasTensor, config: ModelConfig, num_classes: int, *, advice: str) -> keras.KerasTensor:
    """Add the dense layers of the settings and the softmax; a ConfigError with ``advice`` refuses too large ones."""
    dense_parameters = sum(a * b for a, b in pairwise((x.shape[-1], *config.dense_units, num_classes)))
    if dense_parameters > _MAX_DENSE:
        raise ConfigError(
            f"The dense layers would have {dense_parameters:,} parameters; at most {_MAX_DENSE:,} are allowed. {advice}"
        )
    regularizer = _regularizer(config)
    if not config.dense_units:
        x = layers.Dropout(config.dropout)(x)
    for units in config.dense_units:
        x = layers.Dense(units, activation=config.dense_activation, kernel_regularizer=regularizer)(x)
        x = layers.Dropout(config.dropout)(x)
    return layers.Dense(num_classes, activation="softmax", kernel_regularizer=regularizer, dtype="float32")(x)


def _regularizer(config: ModelConfig) -> keras.Regularizer | None:
    return keras.regularizers.L1L2(config.l1, config.l2) if config.l1 or config.l2 else None


def _block(x: keras.KerasTensor, width: int, config: ModelConfig) -> keras.KerasTensor:
    """Add a block: the first convolution has the strides and the pooling, those after it are the residual part."""

    def convolution(x: keras.KerasTensor, *, first: bool) -> keras.KerasTensor:
        x = layers.Conv2D(
            width,
            config.kernel_size,
            strides=config.strides if first else 1,
            padding="same",
            use_bias=not config.batch_normalization,
            kernel_regularizer=_regularizer(config),
        )(x)
        # Pool before normalisation and activation, which then process fewer values.
        if first and config.pooling != "none":
            pool = layers.MaxPooling2D if config.pooling == "max" else layers.AveragePooling2D
            x = pool(config.pool_size, strides=config.pool_strides, padding="same")(x)
        if config.batch_normalization:
            x = layers.BatchNormalization()(x)
        return x if config.activation == "linear" else layers.Activation(config.activation)(x)

    x = convolution(x, first=True)
    y = x
    for _ in range(config.convolutions - 1):
        y = convolution(y, first=False)
    return layers.Add()([x, y]) if config.residual and y is not x else y
