"""A network as a table of its layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from aquadash.models.lazy import keras

#: Weights that are multiplied with a layer's inputs at every position of its output; the others (biases, those of a
#: normalisation) hardly cost anything.
_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


@dataclass(frozen=True)
class LayerRow:
    """One layer."""

    name: str
    #: Its class in Keras, such as ``"Conv2D"``.
    kind: str
    #: Shape of its output, without the batch.
    output_shape: tuple[int, ...]
    params: int
    trainable_params: int = 0
    #: Multiplications, each with an addition, for one image: of convolutions and dense layers, 0 for the others.
    multiply_adds: int = 0
    #: The part of the network that it belongs to, such as ``"body"``; empty in a network without parts.
    part: str = ""


@dataclass(frozen=True)
class ModelSummary:
    """All layers in order, and sums over them."""

    #: A part, such as the body, is listed by its layers.
    layers: tuple[LayerRow, ...]
    params: int
    trainable_params: int = 0
    #: For a prediction of one image; a training step takes about three times as many.
    multiply_adds: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def summarize(model: keras.Model) -> ModelSummary:
    """List the layers of a built model without its input placeholders."""
    rows = []
    for layer, part in _layers(model, part=""):
        output_shape = tuple(int(size) for size in layer.output.shape[1:])
        # Positions of the output times the kernel's size (Howard et al. 2017, "MobileNets", equations 2 and 5).
        kernels = [getattr(layer, name).shape for name in _KERNELS if getattr(layer, name, None) is not None]
        rows.append(
            LayerRow(
                name=layer.name,
                kind=type(layer).__name__,
                output_shape=output_shape,
                params=int(layer.count_params()),
                trainable_params=sum(math.prod(weight.shape) for weight in layer.trainable_weights),
                multiply_adds=math.prod(output_shape[:-1]) * sum(map(math.prod, kernels)),
                part=part,
            )
        )
    return ModelSummary(
        tuple(rows),
        int(model.count_params()),
        sum(row.trainable_params for row in rows),
        sum(row.multiply_adds for row in rows),
    )


def layers_within(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers in order, nested models replaced by their layers, without input placeholders."""
    return (layer for layer, _ in _layers(model, part=""))


def _layers(model: keras.Model, *, part: str) -> Iterator[tuple[keras.Layer, str]]:
    """Yield layers with the outermost part that they belong to, depth first."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer, part=part or layer.name)
        elif type(layer).__name__ != "InputLayer":
            yield layer, part
