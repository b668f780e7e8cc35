"""A network as a table of its layers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LayerRow:
    """One layer.

    Attributes:
        name: The layer's name within the network.
        kind: Its class in Keras, such as ``"Conv2D"``.
        output_shape: Shape of what it gives, without the batch.
        params: How many numbers it learns or keeps.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    params: int


@dataclass(frozen=True)
class ModelSummary:
    """All layers in order and the sum of their parameters."""

    layers: tuple[LayerRow, ...]
    params: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def summarize(model: keras.Model) -> ModelSummary:
    """List the layers of a built model; the input placeholder is left out, as Keras's own summary does."""
    rows = tuple(
        LayerRow(
            layer.name, type(layer).__name__, tuple(int(size) for size in layer.output.shape[1:]), layer.count_params()
        )
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    )
    return ModelSummary(rows, int(model.count_params()))
