"""The same mathematics with less work: where TensorFlow's general way is slow for small networks on a processor.

``python -m aquadash bench train`` measures what these bring; tests hold their results against Keras's own.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import keras
import tensorflow as tf


class OnePassSGD(keras.optimizers.SGD):
    """Keras's SGD. Without momentum an update goes over the weights once instead of twice.

    Keras first multiplies a gradient by the learning rate and then subtracts the product. With large dense layers and
    small batches both are bound by memory, and TensorFlow has an operation for the two together.
    """

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update one variable, which Keras has unwrapped, with its gradient."""
        if self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyGradientDescent(
            var=variable.handle,
            alpha=tf.cast(learning_rate, variable.dtype),
            delta=tf.cast(gradient, variable.dtype),
        )


def without_overlap(model: keras.Model) -> None:
    """Let convolutions whose windows do not overlap work as one matrix product.

    When a filter moves by its own side, each pixel belongs to one window, and the convolution is a product of the
    windows, laid out as rows, with the filters. It sums the same products, in another order. The layers are not changed
    otherwise: they are saved and loaded as before.
    """
    for layer in _flat(model):
        if isinstance(layer, keras.layers.Conv2D) and _is_tiled(layer):
            layer.convolution_op = functools.partial(_tiled_convolution, layer.kernel_size[0])


def as_saved(model: keras.Model) -> None:
    """Undo :func:`without_overlap`, so that a model answers to the last bit as it will when it is loaded again."""
    for layer in _flat(model):
        if isinstance(layer, keras.layers.Conv2D) and "convolution_op" in vars(layer):
            del layer.convolution_op


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
    """The convolution of ``inputs`` (n, height, width, channels) with ``kernel`` (side, side, channels, filters)."""
    filters = kernel.shape[-1]
    windows = tf.nn.space_to_depth(inputs, side)
    rows = tf.reshape(windows, (-1, windows.shape[-1]))
    product = tf.matmul(rows, tf.reshape(kernel, (-1, filters)))
    return tf.reshape(product, (-1, *windows.shape[1:3], filters))


def _flat(layer: keras.Layer) -> Iterator[keras.Layer]:
    yield layer
    for child in getattr(layer, "layers", ()):
        yield from _flat(child)
