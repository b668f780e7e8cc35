"""A run's network in its file, as far as it is read without TensorFlow.

A ``.keras`` file is a ZIP of a description in JSON and of weights in HDF5. It may come from anywhere. The description
is read as plain data. HDF5 is asked for the weights of the described layers by their names: listing a file whose groups
form a long chain would take minutes.
"""

from __future__ import annotations

import errno
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aquadash import settings
from aquadash.errors import StorageError
from aquadash.zips import ZipLimits, open_zip

if TYPE_CHECKING:
    import h5py

T = TypeVar("T")

_DESCRIPTION = "config.json"
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", _DESCRIPTION, _WEIGHTS}

#: A layer is described in about 1 kB; InceptionV3 has 329.
_MAX_DESCRIPTION_BYTES, _MAX_LAYERS = 4_000_000, 3_000
_LIMITS = ZipLimits(members=10, unpacked_bytes=2_000_000_000)
#: Letters of a group's name. InceptionV3's longest has 62.
_MAX_PLACE = 500

#: One for all channels, or one for each.
Numbers = float | tuple[float, ...]


@dataclass(frozen=True)
class NetworkDescription:
    """What a ``.keras`` file says of its network that the run's settings do not."""

    #: Height, width and channels of the images that it takes.
    image_shape: tuple[int, int, int]
    #: The Keras dtype policy of its layers, ``"float32"`` or ``"mixed_bfloat16"``.
    precision: str
    #: Whether a mirror image is moved by a pixel. Up to version 0.6 it was not.
    mirror_moved: bool
    #: What each layer of the kind ``Rescaling`` multiplies by, and what it adds.
    rescalings: tuple[tuple[Numbers, Numbers], ...]
    #: The HDF5 group of each layer, in the order of the layers, those of models within it in their place.
    places: tuple[str, ...]


def describe_network(path: Path) -> NetworkDescription:
    """Read the description in a ``.keras`` file.

    Raises:
        StorageError: The file is missing, damaged, or was not saved by AquaDash.
    """
    with _damage(path), open_zip(path, _LIMITS) as archive:
        if set(archive.namelist()) != _MEMBERS:
            raise ValueError(f"it has the members {sorted(archive.namelist())[:5]}")
        if (size := archive.getinfo(_DESCRIPTION).file_size) > _MAX_DESCRIPTION_BYTES:
            raise ValueError(f"it is described in {size:,} bytes; at most {_MAX_DESCRIPTION_BYTES:,} are allowed")
        text = archive.read(_DESCRIPTION)
        top = json.loads(text)["config"]["layers"]
        layers = dict(_layers(top))
        if len(layers) > _MAX_LAYERS:
            raise ValueError(f"it has {len(layers):,} layers; at most {_MAX_LAYERS:,} are allowed")
        return NetworkDescription(
            image_shape=_image_shape(top[0]),
            precision="mixed_bfloat16" if b'"mixed_bfloat16"' in text else "float32",
            mirror_moved="Cropping2D" in {layer["class_name"] for layer in top},
            rescalings=tuple(
                (_numbers(layer["config"]["scale"]), _numbers(layer["config"]["offset"]))
                for layer in layers.values()
                if layer["class_name"] == "Rescaling"
            ),
            places=tuple(layers),
        )


def check_network(path: Path) -> None:
    """Read the description in a ``.keras`` file, and how large its weights say they are."""
    claimed = sum(stored_weights(path, lambda one: int(one.nbytes)).values())
    with _damage(path), open_zip(path, _LIMITS) as archive:
        size = archive.getinfo(_WEIGHTS).file_size
        if not 0 < claimed <= size:
            raise ValueError(f"it claims {claimed:,} bytes of weights in a file of {size:,}")


def stored_weights(path: Path, read: Callable[[h5py.Dataset], T]) -> dict[str, T]:
    """Read something of each of the weights in a ``.keras`` file, such as its size; no code in the file is run."""
    import h5py

    described = describe_network(path)
    values: dict[str, T] = {}
    with unpacked_weights(path) as weights, _damage(path), h5py.File(weights) as file:
        for place in described.places:
            variables = dataset_or_group(file, f"{place}/vars")
            for number in range(len(variables) if isinstance(variables, h5py.Group) else 0):
                name = f"{place}/vars/{number}"
                dataset = dataset_or_group(file, name)
                if not isinstance(dataset, h5py.Dataset):
                    break
                values[name] = read(dataset)
    return values


def dataset_or_group(file: h5py.File, name: str) -> h5py.Dataset | h5py.Group | None:
    """What an HDF5 file holds under a name; None for nothing."""
    import h5py

    node: Any = file
    for part in name.split("/"):
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name[:60]} is a link")
        node = node[part]
    if isinstance(node, h5py.Dataset) and (node.external or node.is_virtual):
        raise ValueError(f"{name[:60]} lies in another file")
    return node if isinstance(node, (h5py.Dataset, h5py.Group)) else None


@contextmanager
def unpacked_weights(path: Path) -> Iterator[Path]:
    """The HDF5 file within a ``.keras`` file, unpacked while the block runs: a step back in a ZIP reads all again."""
    workshop = settings.home() / "tmp"
    workshop.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="network-", dir=workshop) as folder:
        with _damage(path), open_zip(path, _LIMITS) as archive:
            weights = Path(archive.extract(_WEIGHTS, folder))
        yield weights


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Readers of three formats raise anything for a damaged file."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise StorageError(f"There is no room in {settings.home()} to unpack {path.name}.") from error
        raise StorageError(
            f"The saved model {path.name} cannot be loaded: it is damaged, or was not saved by AquaDash "
            f"({str(error)[:200]}). Train the run again, or resume it."
        ) from error


def _layers(layers: Sequence[Mapping[str, Any]], within: str = "layers") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each layer with its HDF5 group, which Keras names after the layer's class and numbers within a model.

    Operations, such as flips, are no layers.
    """
    counts = Counter[str]()
    for layer in layers:
        if layer["module"].startswith("keras.src.ops"):
            continue
        kind = _snake_case(layer["class_name"])
        place = f"{within}/{kind}_{counts[kind]}" if counts[kind] else f"{within}/{kind}"
        counts[kind] += 1
        if len(place) > _MAX_PLACE:
            raise ValueError(f"it has a layer of the name {place[:60]}...")
        if "layers" in layer["config"]:
            yield from _layers(layer["config"]["layers"], f"{place}/layers")
        else:
            yield place, layer


def _snake_case(name: str) -> str:
    """The name of a class as Keras writes it in its files: ``DepthwiseConv2D`` is ``depthwise_conv2d``."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _image_shape(layer: Mapping[str, Any]) -> tuple[int, int, int]:
    """What the first layer takes."""
    _, height, width, channels = layer["config"]["batch_shape"]
    if not all(type(side) is int and side >= 1 for side in (height, width)) or channels != 3:
        raise ValueError(f"it takes images of the shape {str((height, width, channels))[:60]}")
    return height, width, 3


def _numbers(value: Any) -> Numbers:
    if not isinstance(value, list):
        return float(value)
    if len(value) != 3:
        # More would stretch the images.
        raise ValueError(f"it rescales {len(value)} channels")
    return tuple(map(float, value))
