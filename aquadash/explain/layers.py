"""A model's first filters, and what its layers make of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.errors import ExplainError
from aquadash.explain.network import Inside, listening
from aquadash.explain.results import Activation, Filters

#: Kinds of layers whose maps show nothing that the layer before or after does not.
_SKIPPED = ("BatchNormalization", "Dropout", "SpatialDropout2D")


def filters(model: Any, inside: Inside, image_shape: tuple[int, int, int], *, most: int) -> Filters:
    """The first convolution's filters as pictures; see :class:`Filters`.

    A network may have swapped or rescaled the colours before. What reaches the convolution of plain red, green and blue
    images tells how, so that each filter is drawn in the colours that it looks for in the image.

    Raises:
        ExplainError: The first convolution looks at each colour by itself.
    """
    if type(inside.first).__name__ != "Conv2D" or inside.first.groups != 1:
        raise ExplainError(
            f"The first convolution of this model is a {type(inside.first).__name__} that looks at each colour by "
            "itself; only filters over all colours can be drawn as pictures."
        )
    kernel = np.asarray(inside.first.kernel, np.float32)
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
    shares = (strengths / max(float(strengths.max()), 1e-12)).astype(np.float32)
    return Filters(str(inside.first.name), len(seen), patterns[:most], shares[:most])


def activations(
    model: Any, inside: Inside, image: NDArray[np.uint8], *, most_layers: int, most_channels: int
) -> tuple[Activation, ...]:
    """What the layers with a map make of one image; see :class:`Activation`."""
    wanted = [layer for layer in inside.layers if type(layer).__name__ not in _SKIPPED]
    if len(wanted) > most_layers:
        even = np.linspace(0, len(wanted) - 1, most_layers).round().astype(int)
        wanted = [wanted[position] for position in even]
    outputs: dict[int, NDArray[np.float32]] = {}
    ids = {id(layer) for layer in wanted}

    def keep(layer: Any, _: Any, output: Any) -> None:
        if id(layer) in ids:
            outputs[id(layer)] = np.asarray(output, np.float32)[0]

    with listening(model, keep):
        model(image[None].astype(np.float32) / 255.0, training=False)
    return tuple(_activation(layer, outputs[id(layer)], most_channels) for layer in wanted)


def _activation(layer: Any, maps: NDArray[np.float32], most_channels: int) -> Activation:
    spread = maps.std(axis=(0, 1))
    channels = np.sort(np.argsort(-spread, kind="stable")[:most_channels])
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
