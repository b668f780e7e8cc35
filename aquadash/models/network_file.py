"""A run's network in its file, read without TensorFlow.

A ``.keras`` file is a ZIP of a description in JSON and of weights in HDF5, and may be hostile. The description is read
as plain data. The weights are read by the names of the described layers, because listing an HDF5 file whose groups form
a long chain takes minutes.
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
from typing import Any, TypeVar

from aquadash import settings
from aquadash.errors import StorageError
from aquadash.models.lazy import h5py
from aquadash.zips import ZipLimits, open_zip

T = TypeVar("T")

_DESCRIPTION = "config.json"
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", _DESCRIPTION, _WEIGHTS}

#: Limits of the description: a layer takes about 1 kB, and InceptionV3 has 329 layers.
_MAX_DESCRIPTION_BYTES, _MAX_LAYERS = 4_000_000, 3_000
_LIMITS = ZipLimits(members=10, unpacked_bytes=2_000_000_000)
#: The most letters of a group's name. InceptionV3's longest has 62.
_MAX_PLACE = 500

#: A number for all channels, or one for each.
Numbers = float | tuple[float, ...]


@dataclass(frozen=True)
class NetworkDescription:
    """The properties of a network that are in its ``.keras`` file but not in the run's settings."""

    #: Height, width and channels of the images.
    image_shape: tuple[int, int, int]
    #: The Keras dtype policy of the layers, ``"float32"`` or ``"mixed_bfloat16"``.
    precision: str
    #: Whether the network moves a mirror image by a pixel; networks up to version 0.6 do not.
    mirror_moved: bool
    #: Scale and offset of each ``Rescaling`` layer.
    rescalings: tuple[tuple[Numbers, Numbers], ...]
    #: The HDF5 group of each layer in order, the layers of inner models included.
    places: tuple[str, ...]


def describe_network(path: Path) -> NetworkDescription:
    """Read the description in a ``.keras`` file; raise ``StorageError`` for damage or another program's file."""
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
    """Check the description in a ``.keras`` file, and that its weights are not larger than the file."""
    claimed = sum(stored_weights(path, lambda one: int(one.nbytes)).values())
    with _damage(path), open_zip(path, _LIMITS) as archive:
        size = archive.getinfo(_WEIGHTS).file_size
        if not 0 < claimed <= size:
            raise ValueError(f"it claims {claimed:,} bytes of weights in a file of {size:,}")


def stored_weights(path: Path, read: Callable[[h5py.Dataset], T]) -> dict[str, T]:
    """Call ``read`` with each HDF5 array of weights; return the results by name. No code in the file is run."""
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


def parameter_count(path: Path) -> int:
    """Return the number of weights in a ``.keras`` file, without the state of optimizer and random generators."""
    return sum(stored_weights(path, lambda one: int(one.size or 0)).values())


def dataset_or_group(file: h5py.File, name: str) -> h5py.Dataset | h5py.Group | None:
    """Return the node of an HDF5 file under a name; None for a missing one. Refuse links and external data."""
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
    """Unpack the HDF5 file of a ``.keras`` file for the block, because seeking back in a ZIP reads it again."""
    workshop = settings.home() / "tmp"
    workshop.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="network-", dir=workshop) as folder:
        with _damage(path), open_zip(path, _LIMITS) as archive:
            weights = Path(archive.extract(_WEIGHTS, folder))
        yield weights


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Raise ``StorageError`` for any exception: the readers of ZIP, JSON and HDF5 raise all kinds for damage."""
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
    """Yield each layer with its HDF5 group, which Keras names by the layer's class and number within a model."""
    counts = Counter[str]()
    for layer in layers:
        # Operations, such as flips, have no weights.
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
    """Return the name of a class as in Keras's files: ``depthwise_conv2d`` for ``DepthwiseConv2D``."""
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _image_shape(layer: Mapping[str, Any]) -> tuple[int, int, int]:
    _, height, width, channels = layer["config"]["batch_shape"]
    if not all(type(side) is int and side >= 1 for side in (height, width)) or channels != 3:
        raise ValueError(f"it takes images of the shape {str((height, width, channels))[:60]}")
    return height, width, 3


def _numbers(value: Any) -> Numbers:
    if not isinstance(value, list):
        return float(value)
    if len(value) != 3:
        # Other factors could change the shape of the images.
        raise ValueError(f"it rescales {len(value)} channels")
    return tuple(map(float, value))
