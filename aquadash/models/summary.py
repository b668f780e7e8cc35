"""A network as a table of its layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

#: The weights of a layer that are multiplied with its inputs at every place of its output. All other weights (biases,
#: those of a normalisation) cost next to nothing beside them.
_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


@dataclass(frozen=True)
class LayerRow:
    """One layer."""

    #: The layer's name within the network.
    name: str
    #: Its class in Keras, such as ``"Conv2D"``.
    kind: str
    #: Shape of what it gives, without the batch.
    output_shape: tuple[int, ...]
    #: How many numbers it learns or keeps.
    params: int
    #: How many of them training changes.
    trainable_params: int = 0
    #: Multiplications, each with an addition, for one image; counted for convolutions and dense layers, 0 for the
    #: others.
    multiply_adds: int = 0
    #: The part of the network that it belongs to, such as ``"body"``; empty in a network without parts.
    part: str = ""


@dataclass(frozen=True)
class ModelSummary:
    """All layers in order, and sums over them."""

    #: Those of its parts, too; a part has no row of its own.
    layers: tuple[LayerRow, ...]
    #: How many numbers the network learns or keeps.
    params: int
    #: How many of them training changes.
    trainable_params: int = 0
    #: For one image on its way forward; learning from it takes about three times as many.
    multiply_adds: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def summarize(model: keras.Model) -> ModelSummary:
    """List the layers of a built model; the input placeholders are left out, as Keras's own summary does."""
    rows = tuple(_row(layer, part) for layer, part in _layers(model, part=""))
    return ModelSummary(
        rows,
        int(model.count_params()),
        sum(row.trainable_params for row in rows),
        sum(row.multiply_adds for row in rows),
    )


def layers_within(model: keras.Model) -> Iterator[keras.Layer]:
    """Its layers in order, those of models within it in their place; without those that take the images."""
    return (layer for layer, _ in _layers(model, part=""))


def _layers(model: keras.Model, *, part: str) -> Iterator[tuple[keras.Layer, str]]:
    """Depth first; what is nested deeper still belongs to the outermost part."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer, part=part or layer.name)
        elif type(layer).__name__ != "InputLayer":
            yield layer, part


def _row(layer: keras.Layer, part: str) -> LayerRow:
    output_shape = tuple(int(size) for size in layer.output.shape[1:])
    return LayerRow(
        name=layer.name,
        kind=type(layer).__name__,
        output_shape=output_shape,
        params=int(layer.count_params()),
        trainable_params=sum(math.prod(weight.shape) for weight in layer.trainable_weights),
        multiply_adds=_multiply_adds(layer, output_shape),
        part=part,
    )


def _multiply_adds(layer: keras.Layer, output_shape: tuple[int, ...]) -> int:
    """Places of the output times the numbers of the kernel.

    At each place, each number of the kernel is multiplied once: D_K x D_K x M x N x D_F x D_F for a convolution, as in
    Howard et al. 2017, "MobileNets", equations 2 and 5. A dense layer is the case of a single place.
    """
    places = math.prod(output_shape[:-1])
    kernels = [getattr(layer, name, None) for name in _KERNELS]
    return places * sum(math.prod(kernel.shape) for kernel in kernels if kernel is not None)
