"""The inside of a Keras model: the outputs of its layers, and its scores before the softmax.

Listeners take the outputs while the model is called: a layer of a nested model is not part of the outer graph.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import ExplainError
from aquadash.explain.results import Activation, ConvolutionFilters
from aquadash.models.lazy import keras, tf
from aquadash.models.summary import layers_within

#: Called with a layer, its first input and its output.
Listener = Callable[[Any, Any, Any], None]

#: Kinds of layers whose kernels slide over a map.
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose")

#: Kinds of layers whose maps look like those of the layer before or after.
_SKIPPED = ("BatchNormalization", "Dropout", "SpatialDropout2D")

#: Layers whose outputs are shown, and channels of each.
_MAX_LAYERS, _MAX_CHANNELS = 8, 12


@dataclass(frozen=True, eq=False)
class Inside:
    """The convolutional part of a model."""

    #: The layer whose output is the last convolutional feature map.
    maps: Any
    #: Height, width and channels of that map.
    map_shape: tuple[int, int, int]
    #: The first convolution.
    first: Any
    #: All layers with a map as output from the first convolution on, in the order of their calls.
    layers: tuple[Any, ...]
    #: The number of all layers' outputs for one image, a measure of memory.
    numbers: int


@contextmanager
def listening(model: Any, listener: Listener) -> Iterator[None]:
    """Call the listener after every call of a layer, also of nested models; one thread at a time for a model."""
    # Two parts of a model may share a layer.
    layers = list(dict.fromkeys(layers_within(model)))
    for layer in layers:
        # In ``vars``, because Keras's ``__setattr__`` would look for weights in the function.
        vars(layer)["call"] = _with_listener(layer, layer.call, listener)
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)["call"]


@contextmanager
def before_softmax(model: Any) -> Iterator[None]:
    """Let a model answer with the scores before its last activation; one thread at a time for a model."""
    layer = model
    while hasattr(layer, "layers"):
        layer = layer.layers[-1]
    activation, layer.activation = getattr(layer, "activation", None), keras.activations.linear
    try:
        yield
    finally:
        layer.activation = activation


def look_inside(model: Any, image_shape: tuple[int, int, int]) -> Inside:
    """Find the convolutional part of a model by calling it once.

    The last feature map is the last output after a convolution that the answer depends on, more than a pixel high and
    wide; before a pooling that would shrink it, and after activation and normalisation, as in the paper on Grad-CAM.
    """
    calls: list[tuple[Any, Any, Any]] = []
    numbers = 0

    def keep(layer: Any, inputs: Any, output: Any) -> None:
        nonlocal numbers
        numbers += math.prod(output.shape[1:])
        if calls or any(kind.__name__ in _CONVOLUTIONS for kind in type(layer).__mro__):
            tape.watch(output)
            calls.append((layer, inputs, output))

    image = tf.random.stateless_uniform((1, *image_shape), seed=(0, 0))
    with tf.GradientTape(watch_accessed_variables=False) as tape, listening(model, keep):
        answer = tf.reduce_sum(tf.cast(model(image, training=False), tf.float32)[:, 0])
    if not calls:
        raise ExplainError(
            "This model has no convolution, so it has no map of the image that could be shown. Choose a run with a "
            "convolutional network, such as the preset notebook, baseline or backbone."
        )
    maps = [call for call in calls if len(call[2].shape) == 4 and min(call[2].shape[1:3]) > 1]
    # Padding adds a border that is outside of the image.
    maps = [call for call in maps if not type(call[0]).__name__.startswith("ZeroPadding")]
    gradients = tape.gradient(answer, [output for _, _, output in maps])
    reaching = [call for call, gradient in zip(maps, gradients, strict=True) if gradient is not None]
    while len(reaching) > 1 and _shrinks(*reaching[-1]):
        reaching.pop()
    if not reaching:
        raise ExplainError(
            "The convolutions of this model leave a single pixel, which says nothing about where in the image "
            "something is. Choose a network with fewer strides or poolings, or a larger model.input_size."
        )
    layer, _, output = reaching[-1]
    height, width, channels = (int(size) for size in output.shape[1:])
    return Inside(layer, (height, width, channels), calls[0][0], tuple(call[0] for call in maps), numbers)


def _with_listener(layer: Any, call: Callable[..., Any], listener: Listener) -> Callable[..., Any]:
    def call_and_report(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if hasattr(output, "shape"):
            listener(layer, args[0] if args else None, output)
        return output

    return call_and_report


def _shrinks(layer: Any, inputs: Any, output: Any) -> bool:
    """Return whether a call was a pooling that made its map smaller."""
    return "Pooling" in type(layer).__name__ and tuple(output.shape[1:3]) != tuple(inputs.shape[1:3])


def filters(model: Any, inside: Inside, image_shape: tuple[int, int, int], *, most: int) -> ConvolutionFilters:
    """Return the first convolution's filters as pictures; one for each colour by itself raises an ``ExplainError``."""
    if type(inside.first).__name__ != "Conv2D" or inside.first.groups != 1:
        raise ExplainError(
            f"The first convolution of this model is a {type(inside.first).__name__} that looks at each colour by "
            "itself; only filters over all colours can be drawn as pictures."
        )
    kernel = np.asarray(inside.first.kernel, np.float32)
    # Black, red, green and blue images show how the network swaps or rescales colours before the convolution.
    plain = np.zeros((4, *image_shape), np.float32)
    for channel in range(3):
        plain[channel + 1, ..., channel] = 1.0
    reached: list[NDArray[np.float32]] = []

    def keep(layer: Any, inputs: Any, _: Any) -> None:
        if layer is inside.first:
            reached[:] = [np.asarray(inputs, np.float32)]

    with listening(model, keep):
        model(plain, training=False)
    middle = reached[0][:, reached[0].shape[1] // 2, reached[0].shape[2] // 2]
    # Rows: red, green, blue of the image; columns: the channels that the convolution sees.
    colours = middle[1:] - middle[0]
    seen = np.einsum("hwcf,rc->fhwr", kernel, colours)
    strengths = np.abs(seen).max(axis=(1, 2, 3))
    scale = np.where(strengths > 0, strengths, 1.0)[:, None, None, None]
    patterns = np.clip(np.round(127.5 + 127.5 * seen / scale), 0, 255).astype(np.uint8)
    fractions = (strengths / max(float(strengths.max()), 1e-12)).astype(np.float32)
    return ConvolutionFilters(str(inside.first.name), len(seen), patterns[:most], fractions[:most])


def activations(model: Any, inside: Inside, image: NDArray[np.uint8]) -> tuple[Activation, ...]:
    """Return the maps of evenly chosen layers for one image."""
    wanted = [layer for layer in inside.layers if type(layer).__name__ not in _SKIPPED]
    if len(wanted) > _MAX_LAYERS:
        even = np.linspace(0, len(wanted) - 1, _MAX_LAYERS).round().astype(int)
        wanted = [wanted[position] for position in even]
    outputs: dict[int, NDArray[np.float32]] = {}
    ids = {id(layer) for layer in wanted}

    def keep(layer: Any, _: Any, output: Any) -> None:
        if id(layer) in ids:
            outputs[id(layer)] = np.asarray(output, np.float32)[0]

    with listening(model, keep):
        model(image[None].astype(np.float32) / 255.0, training=False)
    return tuple(_activation(layer, outputs[id(layer)]) for layer in wanted)


def _activation(layer: Any, maps: NDArray[np.float32]) -> Activation:
    spread = maps.std(axis=(0, 1))
    channels = np.sort(np.argsort(-spread, kind="stable")[:_MAX_CHANNELS])
    low, high = float(maps.min()), float(maps.max())
    shown = (maps[..., channels] - low) / (high - low if high > low else 1.0)
    height, width, count = (int(size) for size in maps.shape)
    return Activation(
        layer=str(layer.name),
        kind=type(layer).__name__,
        shape=(height, width, count),
        channels=tuple(int(channel) for channel in channels),
        maps=np.moveaxis(shown, -1, 0).astype(np.float32),
        silent=float((spread <= 1e-6 * max(high - low, 1e-12)).mean()),
    )
