"""Faster versions of operations that TensorFlow computes slowly for small networks on a CPU.

``python scripts/bench train`` measures them; tests compare their results with Keras's own.
"""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from aquadash.models.summary import layers_within


class OnePassSGD(keras.optimizers.SGD):
    """Keras's SGD, whose update without momentum is one operation that reads the weights once instead of two."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable with its gradient."""
        if self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyGradientDescent(
            var=variable.handle, alpha=tf.cast(learning_rate, variable.dtype), delta=tf.cast(gradient, variable.dtype)
        )


#: Weights from which on memory bandwidth bounds a dense layer at the usual batch sizes.
_LARGE_DENSE = 2**16

#: ``tf.nn.space_to_depth`` copies a pixel at a time, which is slow below this number of channels.
_FEW_CHANNELS = 8


def with_less_work(model: keras.Model) -> None:
    """Compute large dense layers, and convolutions whose windows do not overlap, as plain matrix products.

    The sums are the same in another order. The layers are saved and loaded as before.
    """
    for layer in layers_within(model):
        if isinstance(layer, keras.layers.Conv2D) and _is_tiled(layer):
            layer.convolution_op = functools.partial(_tiled_convolution, layer.kernel_size[0])
        elif isinstance(layer, keras.layers.Dense) and _is_large(layer):
            layer.call = functools.partial(_dense, layer)


def as_saved(model: keras.Model) -> None:
    """Undo :func:`with_less_work`, so that the probabilities equal bit by bit those of the saved model."""
    for layer in layers_within(model):
        for replaced in ("convolution_op", "call"):
            if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense) and replaced in vars(layer):
                delattr(layer, replaced)


def _is_large(layer: keras.layers.Dense) -> bool:
    return (
        layer.use_bias
        and layer.kernel.shape[0] * layer.kernel.shape[1] >= _LARGE_DENSE
        and len(layer.input.shape) == 2
        and layer.compute_dtype == layer.variable_dtype == "float32"
    )


def _dense(layer: keras.layers.Dense, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
    """Compute the layer's output for ``inputs``, (n, features)."""
    return layer.activation(tf.nn.bias_add(_product(inputs, layer.kernel.value), layer.bias.value))


@tf.custom_gradient
def _product(
    rows: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]]:
    """Multiply ``rows`` (n, features) by ``weights`` (features, units)."""

    def gradient(of_product: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # This order of the factors saves a transposed copy of the weights.
        of_rows = tf.transpose(tf.matmul(weights, of_product, transpose_b=True))
        # One product after the other: each then has all cores, and the weights are not copied for a read during their
        # update.
        with tf.control_dependencies([of_rows]):
            of_weights = tf.matmul(rows, of_product, transpose_a=True)
        return of_rows, of_weights

    return tf.matmul(rows, weights), gradient


def _is_tiled(layer: keras.layers.Conv2D) -> bool:
    side = layer.kernel_size[0]
    height, width, _ = layer.input.shape[1:]
    return (
        layer.kernel_size == layer.strides == (side, side)
        and side > 1
        and layer.dilation_rate == (1, 1)
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and height % side == 0
        and width % side == 0
    )


def _tiled_convolution(side: int, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolve ``inputs`` (n, height, width, channels) with ``kernel`` (side, side, channels, filters)."""
    filters = kernel.shape[-1]
    height, width, channels = inputs.shape[1:]
    if channels < _FEW_CHANNELS:
        lines = tf.reshape(inputs, (-1, height // side, side, width // side, side * channels))
        windows = tf.concat(tf.unstack(lines, axis=2), axis=-1)
    else:
        windows = tf.nn.space_to_depth(inputs, side)
    product = tf.matmul(tf.reshape(windows, (-1, side * side * channels)), tf.reshape(kernel, (-1, filters)))
    return tf.reshape(product, (-1, height // side, width // side, filters))
