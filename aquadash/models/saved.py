"""Networks in files: the run's settings build the network, the file gives the weights.

A ``.keras`` file may come from anywhere, and deserialising a network can run code in it; so Keras deserialises nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aquadash.config import ModelConfig
from aquadash.errors import StorageError
from aquadash.models.inputs import ChannelStatistics
from aquadash.models.lazy import h5py, keras
from aquadash.models.network_file import dataset_or_group, describe_network, unpacked_weights
from aquadash.models.registry import build
from aquadash.models.summary import layers_within
from aquadash.models.transfer import with_flip

#: The largest outputs of all layers together and of one layer for one image, in values. At 512 pixels, ResNet50 has 193
#: million, and a layer of VGG16 17 million.
_MAX_VALUES = 500_000_000
_MAX_LAYER_VALUES = 50_000_000

#: Placeholder: the file's statistics replace it. A network that kept it would answer NaN.
_FROM_THE_FILE = ChannelStatistics((math.nan,) * 3, (math.nan,) * 3)


def load_model(path: Path, config: ModelConfig, *, num_classes: int, precision: str | None = None) -> keras.Model:
    """Build the network of a run's settings, for inference only, and load the weights in a ``.keras`` file.

    Args:
        config: The model section of the run's config.
        precision: The Keras dtype policy of its layers; None for that in which it was trained.

    Raises:
        StorageError: The file is missing, damaged, of another network or too large, or the disk is full.
    """
    if not path.is_file():
        raise StorageError("This run has no saved model yet. Wait for its first epoch, or resume the run.")
    described = describe_network(path)
    # Keras numbers layers by process, and the names of weights depend on it: start at 1, as where it was trained.
    keras.utils.clear_session(free_memory=False)
    with _mismatch(path):
        model = build(
            config,
            image_shape=described.image_shape,
            num_classes=num_classes,
            statistics=_FROM_THE_FILE,
            precision=precision or described.precision,
        )
        if config.test_time_flip:
            model = with_flip(model, moved=described.mirror_moved)
        layers = list(layers_within(model))
        rescaling = (layer for layer in layers if type(layer).__name__ == "Rescaling")
        for layer, (scale, offset) in zip(rescaling, described.rescalings, strict=True):
            layer.scale, layer.offset = scale, offset
    values = [sum(math.prod(one.shape[1:]) for one in keras.tree.flatten(layer.output)) for layer in layers]
    if sum(values) > _MAX_VALUES or max(values) > _MAX_LAYER_VALUES:
        raise StorageError(
            f"The layers of {path.name} give {sum(values):,} values for one image of {described.image_shape[1]} x "
            f"{described.image_shape[0]} pixels, one of them {max(values):,}; at most {_MAX_VALUES:,} and "
            f"{_MAX_LAYER_VALUES:,} are allowed. Train one with fewer filters, larger strides or smaller images."
        )
    with unpacked_weights(path) as weights, _mismatch(path):
        _check_shapes(model, weights)
        model.load_weights(weights)
    return model


def _check_shapes(model: keras.Model, weights: Path) -> None:
    """Compare the shapes of a file's weights with those that a network expects; Keras reads before it checks."""
    expected = weights.with_name("expected.weights.h5")
    model.save_weights(expected)
    shapes: dict[str, tuple[int, ...]] = {}
    with h5py.File(expected) as own, h5py.File(weights) as foreign:
        own.visititems(lambda name, item: shapes.update({name: item.shape} if isinstance(item, h5py.Dataset) else {}))
        for name, shape in shapes.items():
            stored = dataset_or_group(foreign, name)
            if not isinstance(stored, h5py.Dataset):
                raise ValueError(f"{name} is missing; expected the shape {shape}")
            if stored.shape != shape:
                raise ValueError(f"{name} has the shape {stored.shape}; expected {shape}")


@contextmanager
def _mismatch(path: Path) -> Iterator[None]:
    """Raise ``StorageError`` for any exception: Keras, HDF5 and the code of an added network have no common error."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise StorageError(
            f"{path.name} does not fit the network of the run's settings: {str(error)[:400]}. If you added this "
            "network yourself, restore the code that trained the run. Otherwise train the run again."
        ) from error
