"""The table of networks: a model's name to its builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquadash.config import ModelConfig
from aquadash.errors import UnknownNameError
from aquadash.models import notebook

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ModelEntry:
    """A network that a config can name.

    Attributes:
        title: A short name for a menu.
        summary: What it is, in a sentence.
        build: Makes the network with fresh weights: images as float32 in [0, 1] in, class probabilities out.
    """

    title: str
    summary: str
    build: Callable[[ModelConfig, tuple[int, int, int], int], keras.Model]


MODELS: dict[str, ModelEntry] = {
    "notebook": ModelEntry(
        "The report's CNN",
        "Two convolutions with stride 2, two poolings, dense layers of 256 and 128 units: 1,091,045 parameters.",
        notebook.build,
    ),
}


def model_entry(name: str) -> ModelEntry:
    """Look a network up by its name.

    Raises:
        UnknownNameError: There is none of that name; the message names the nearest.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise UnknownNameError.of("model", name, MODELS) from None


def build(config: ModelConfig, *, image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Build the network that ``config`` names.

    Args:
        config: The model section of a run's config.
        image_shape: Height, width and channels.
        num_classes: How many probabilities it gives an image.
    """
    return model_entry(config.name).build(config, image_shape, num_classes)
