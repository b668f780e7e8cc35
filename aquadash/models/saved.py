"""Networks in files: a stored network is its run's settings and weights.

A ``.keras`` file is a ZIP of a description in JSON and of weights in HDF5. It may come from anywhere, so Keras makes no
network of the description: the run's settings are built, as they are to train, and given the weights. What the settings
leave open is read from the description as plain data, without TensorFlow.
"""

from __future__ import annotations

import json
import math
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import settings
from aquadash.config import ModelConfig
from aquadash.errors import RunError, StorageError
from aquadash.models.inputs import ChannelStatistics
from aquadash.models.registry import build
from aquadash.models.summary import layers_within
from aquadash.models.transfer import with_flip
from aquadash.runs.artifacts import stored_weights

if TYPE_CHECKING:
    import keras

#: A layer is described in about 1 kB; InceptionV3 has 329.
_MAX_DESCRIPTION = 4_000_000
#: Values that all layers together, and one layer, give for one image at most. At 512 pixels ResNet50 gives 193 million,
#: and a layer of VGG16 17 million.
_MAX_VALUES = 500_000_000
_MAX_LAYER_VALUES = 50_000_000

#: What decides a layer's answers beside its weights and the numbers of a ``Rescaling``, by its name in Keras.
_DECIDING = (
    "activation", "antialias", "axis", "crop_to_aspect_ratio", "cropping", "dilation_rate", "epsilon", "filters",
    "groups", "height", "interpolation", "kernel_size", "max_value", "mean", "negative_slope", "padding", "pool_size",
    "strides", "target_shape", "threshold", "units", "variance", "width",
)  # fmt: skip

#: Of an activation that is an object of its own.
_STANDING = {"build_config", "dtype", "name", "shared_object_id"}

#: In the place of the training images' own, which the file has, so that none can pass for them.
_FROM_THE_FILE = ChannelStatistics((math.nan,) * 3, (math.nan,) * 3)

_DESCRIPTION = "config.json"
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", _DESCRIPTION, _WEIGHTS}

#: One for all channels, or one for each.
Numbers = float | tuple[float, ...]


@dataclass(frozen=True)
class Described:
    """What a ``.keras`` file says of its network that the run's settings do not.

    Attributes:
        image_shape: Height, width and channels of the images that it looks at.
        precision: The Keras dtype policy of its layers, ``"float32"`` or ``"mixed_bfloat16"``.
        mirror_moved: Whether a mirror image is moved by a pixel. Up to version 0.6 it was not.
        layers: The class of each layer in Keras with the settings that decide its answers, in order, those of models
            within it in their place.
        rescalings: What each layer of the kind ``Rescaling`` multiplies by, and what it adds.
    """

    image_shape: tuple[int, int, int]
    precision: str
    mirror_moved: bool
    layers: tuple[Mapping[str, Any], ...]
    rescalings: tuple[tuple[Numbers, Numbers], ...]


def check_model_file(path: Path) -> Described:
    """Read what a ``.keras`` file says of its network, and the headers of its weights; TensorFlow is not needed.

    Raises:
        StorageError: It is damaged or was not saved by AquaDash.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if set(archive.namelist()) != _MEMBERS:
                raise ValueError(f"it has the members {sorted(archive.namelist())[:5]}")
            if (size := archive.getinfo(_DESCRIPTION).file_size) > _MAX_DESCRIPTION:
                raise ValueError(f"it is described in {size:,} bytes; at most {_MAX_DESCRIPTION:,} are allowed")
            description, weights_size = archive.read(_DESCRIPTION), archive.getinfo(_WEIGHTS).file_size
        claimed = sum(stored_weights(path, lambda one: int(one.nbytes)).values())
        model = json.loads(description)
        layers = list(_layers(model))
        # Beside weights in float32, which may be stored with an optimizer's two moments, each layer has a head.
        if not claimed <= weights_size <= 3 * claimed + 10_000 * (len(layers) + 1):
            raise ValueError(f"it claims {claimed:,} bytes of weights in a file of {weights_size:,}")
        return Described(
            image_shape=_image_shape(model["config"]["layers"][0]),
            precision="mixed_bfloat16" if b'"mixed_bfloat16"' in description else "float32",
            mirror_moved="Cropping2D" in {layer["class_name"] for layer in model["config"]["layers"]},
            layers=_deciding(layers),
            rescalings=tuple(
                (_numbers(config["scale"]), _numbers(config["offset"]))
                for kind, config in layers
                if kind == "Rescaling"
            ),
        )
    except (RunError, StorageError) as error:
        raise StorageError(str(error)) from error
    except Exception as error:
        # Readers of three formats answer a damaged file with anything.
        raise StorageError(
            f"The saved model {path.name} cannot be loaded: it is damaged, or was not saved by AquaDash "
            f"({str(error)[:200]}). Train the run again, or resume it."
        ) from error


def load_model(path: Path, config: ModelConfig, *, num_classes: int, precision: str | None = None) -> keras.Model:
    """Build the network of a run's settings and give it the weights in a ``.keras`` file.

    Names of layers are those in a process that has built no other network, as where it was trained: Keras counts anew
    in this one.

    Args:
        path: The file.
        config: The model section of the run's config.
        num_classes: How many classes the run has.
        precision: The Keras dtype policy of its layers; None for that in which it was trained.

    Returns:
        It is not compiled: it answers, and is not trained.

    Raises:
        StorageError: The file is missing or damaged, is of another network than the settings make, or of one that takes
            more memory than is allowed; or there is no room to unpack it.
    """
    if not path.is_file():
        raise StorageError("This run has no saved model yet. Wait for its first epoch, or resume the run.")
    described = check_model_file(path)
    import keras

    keras.utils.clear_session(free_memory=False)
    try:
        model = build(
            config,
            image_shape=described.image_shape,
            num_classes=num_classes,
            statistics=_FROM_THE_FILE,
            precision=precision or described.precision,
        )
        if config.test_time_flip:
            model = with_flip(model, moved=described.mirror_moved)
    except MemoryError:
        raise
    except Exception as error:
        # Whoever has written a network of their own may raise anything.
        raise _unlike(path, str(error)) from error
    made = _deciding(_layers(json.loads(model.to_json())))
    pairs = zip_longest(described.layers, made, fillvalue=dict[str, Any]())
    for number, (came, expected) in enumerate(pairs, start=1):
        if came != expected:
            in_file, by_settings = (
                {name: value for name, value in one.items() if other.get(name) != value} or "missing"
                for one, other in ((came, expected), (expected, came))
            )
            raise _unlike(path, f"in the file layer {number} is {in_file}, by the settings {by_settings}")
    layers = list(layers_within(model))
    values = [sum(math.prod(one.shape[1:]) for one in keras.tree.flatten(layer.output)) for layer in layers]
    if sum(values) > _MAX_VALUES or max(values) > _MAX_LAYER_VALUES:
        raise StorageError(
            f"The layers of {path.name} give {sum(values):,} values for one image of {described.image_shape[1]} x "
            f"{described.image_shape[0]} pixels, one of them {max(values):,}; at most {_MAX_VALUES:,} and "
            f"{_MAX_LAYER_VALUES:,} are allowed. Train one with fewer filters, larger strides or smaller images."
        )
    rescaling = (layer for layer in layers if type(layer).__name__ == "Rescaling")
    for layer, (scale, offset) in zip(rescaling, described.rescalings, strict=True):
        layer.scale, layer.offset = scale, offset
    workshop = settings.home() / "tmp"
    with zipfile.ZipFile(path) as archive, ExitStack() as stack:
        try:
            workshop.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="network-", dir=workshop))
            # Within the ZIP a step back would read all from the start again.
            weights = archive.extract(_WEIGHTS, folder)
        except OSError as error:
            raise StorageError(
                f"{path.name} cannot be unpacked in {workshop} ({error.strerror or error}). Make room and try again."
            ) from error
        try:
            model.load_weights(weights)
        except MemoryError:
            raise
        except Exception as error:
            # Keras answers weights that do not fit with anything, too.
            raise _unlike(path, str(error)) from error
    return model


def _unlike(path: Path, why: str) -> StorageError:
    return StorageError(
        f"{path.name} is not of the network that the run's settings make: {why[:400]}. If the network is one of "
        "somebody's own, its code is needed here as it was when the run was trained; otherwise train the run again."
    )


def _image_shape(layer: Mapping[str, Any]) -> tuple[int, int, int]:
    """What the first layer takes, which says so."""
    _, height, width, channels = layer["config"]["batch_shape"]
    if not all(type(side) is int and side >= 1 for side in (height, width)) or channels != 3:
        raise ValueError(f"it takes images of the shape {str((height, width, channels))[:60]}")
    return height, width, 3


def _deciding(layers: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {"class_name": kind} | {name: _decided(found[name]) for name in _DECIDING if name in found}
        for kind, found in layers
    )


def _decided(value: Any) -> Any:
    """A setting without what says where an object stands in a model, not what it does."""
    if isinstance(value, dict):
        return {name: _decided(each) for name, each in value.items() if name not in _STANDING}
    return [_decided(each) for each in value] if isinstance(value, list) else value


def _layers(model: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kinds and settings in the order of :func:`layers_within`; operations, such as flips, are no layers."""
    for layer in model["config"]["layers"]:
        if "layers" in layer["config"]:
            yield from _layers(layer)
        elif layer["class_name"] != "InputLayer" and not layer["module"].startswith("keras.src.ops"):
            yield layer["class_name"], layer["config"]


def _numbers(value: Any) -> Numbers:
    if not isinstance(value, list):
        return float(value)
    if len(value) != 3:
        # More would stretch the images.
        raise ValueError(f"it rescales {len(value)} channels")
    return tuple(map(float, value))
