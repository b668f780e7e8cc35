"""Networks in files, which may come from anywhere: loaded once it is worked out what they will cost.

A ``.keras`` file is a ZIP of a description in JSON and of weights in HDF5. A description of 2 kB may ask for gigabytes,
and name any class of Keras. Here it is read as plain data, without TensorFlow: each kind of layer that AquaDash's
networks have is a function from its settings and input shapes to its output shape and number of parameters, and any
other kind is refused.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash.errors import StorageError

if TYPE_CHECKING:
    import keras

#: ResNet50 with the largest head that a run may have has 83 million.
MAX_PARAMETERS = 100_000_000
#: InceptionV3 has 329, those that take images and the models within it included.
MAX_LAYERS = 1_000
#: Values that all layers together give for one image. ResNet50 gives 37 million at its own size, 391 million at 512
#: pixels with the mirror image.
MAX_ACTIVATIONS = 500_000_000
#: Values that one layer gives for one image: VGG16 at 512 pixels gives 17 million.
MAX_IN_LAYER = 50_000_000

#: A layer is described in about 1 kB, and has a few kB of headers beside its weights.
MAX_DESCRIPTION = 4_000_000
_HEADERS_A_LAYER = 10_000
#: A float32, and the two that an optimizer may keep for it.
_BYTES_A_PARAMETER = 12
#: A mean of two answers, of a network of body and head, of a model within it: one more than there is.
_MAX_NESTED = 5
#: Keras builds such a model anew after each of its layers: 50 take it 3 s, 1,000 many minutes. AquaDash's has 11.
_MAX_IN_SEQUENCE = 50
#: Settings that no network of AquaDash has, and that add numbers or values beyond those that are counted here.
_UNCOUNTED = ("lora_rank", "quantization_config", "pad_to_aspect_ratio")

_DESCRIPTION = "config.json"
_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", _DESCRIPTION, _WEIGHTS}

#: A shape without the images' own dimension.
Shape = tuple[int, ...]
Config = Mapping[str, Any]
#: From a layer's settings and the shapes that it is given to the shape that it gives, and how many numbers it keeps.
_Rule = Callable[[Config, Sequence[Shape]], tuple[Shape, int]]


@dataclass(frozen=True)
class ModelCost:
    """What a network takes.

    Attributes:
        parameters: How many numbers it keeps.
        layers: How many layers it has, those of models within it included.
        activations: How many values all layers together give for one image.
        largest: How many the layer gives that gives the most.
    """

    parameters: int
    layers: int
    activations: int
    largest: int


@dataclass(frozen=True)
class _Part:
    """A layer or a model within another: the shapes that it takes, the one that it gives, and its cost."""

    inputs: tuple[Shape, ...]
    output: Shape
    cost: ModelCost


def check_model_file(path: Path) -> ModelCost:
    """Work out what the network in a ``.keras`` file will cost; reads its description and the headers of its weights.

    Raises:
        StorageError: It is damaged, is no network of AquaDash's kinds of layers, or is beyond a limit.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            if set(archive.namelist()) != _MEMBERS:
                raise ValueError(f"it has the members {sorted(archive.namelist())[:5]}")
            if (size := archive.getinfo(_DESCRIPTION).file_size) > MAX_DESCRIPTION:
                raise _refused(path, f"is described in {size:,} bytes; at most {MAX_DESCRIPTION:,} are allowed")
            cost = _model(json.loads(archive.read(_DESCRIPTION)), nested=1).cost
            for number, most, what in (
                (cost.parameters, MAX_PARAMETERS, "parameters"),
                (cost.layers, MAX_LAYERS, "layers"),
                (cost.activations, MAX_ACTIVATIONS, "values that its layers give for one image"),
                (cost.largest, MAX_IN_LAYER, "values that one layer gives for one image"),
            ):
                if number > most:
                    raise _refused(path, f"has {number:,} {what}; at most {most:,} are allowed")
            weights = archive.getinfo(_WEIGHTS)
            if weights.file_size > _BYTES_A_PARAMETER * cost.parameters + _HEADERS_A_LAYER * cost.layers:
                raise _refused(path, f"has {weights.file_size:,} bytes for {cost.parameters:,} parameters")
            with archive.open(weights) as packed, tempfile.TemporaryFile() as copy:
                # In the archive a step back would read all from the start again.
                shutil.copyfileobj(packed, copy)
                with h5py.File(copy, "r") as file:
                    claimed = _claimed_bytes(file)
            if claimed > weights.file_size:
                raise _refused(path, f"claims {claimed:,} bytes of weights in a file of {weights.file_size:,}")
            return cost
    except _Unknown as error:
        raise _refused(path, str(error)) from None
    except StorageError:
        raise
    except Exception as error:
        # Readers of three formats answer a damaged file with anything.
        raise StorageError(
            f"The saved model {path.name} cannot be loaded: it is damaged, or was not saved by AquaDash "
            f"({str(error)[:200]}). Train the run again, or resume it."
        ) from error


def load_model(path: Path) -> keras.Model:
    """The network in a ``.keras`` file, once :func:`check_model_file` has passed it.

    No code that the file may hold is run. It is not compiled: it answers, and is not trained.

    Raises:
        StorageError: The file is missing or damaged, or the network is too large or none of AquaDash's.
    """
    if not path.is_file():
        raise StorageError("This run has no saved model yet. Wait for its first epoch, or resume the run.")
    check_model_file(path)
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras answers a damaged file with anything from KeyError to zipfile.BadZipFile.
        raise StorageError(
            f"The saved model {path.name} cannot be loaded: it is damaged, or was saved by a newer Keras. Train the "
            "run again, or resume it."
        ) from error


class _Unknown(Exception):
    """A part that no network of AquaDash has; the message goes on after "The network"."""


def _refused(path: Path, why: str) -> StorageError:
    return StorageError(
        f"The saved model {path.name} is not loaded: the network {why}. Train a smaller or plainer one."
    )


def _claimed_bytes(file: Any) -> int:
    """How many bytes all arrays in an HDF5 file will take, by their headers; links are not followed."""
    import h5py

    sizes: list[int] = []
    file.visititems(lambda _, node: sizes.append(int(node.nbytes)) if isinstance(node, h5py.Dataset) else None)
    return sum(sizes)


def _model(data: Config, *, nested: int) -> _Part:
    """A whole model, or one within another."""
    kind = _kind(data)
    if kind not in (_SEQUENTIAL, _FUNCTIONAL):
        raise _Unknown(f"is of the kind {_shown(kind)}, which none of AquaDash's is")
    if nested > _MAX_NESTED:
        raise _Unknown(f"has models within models, more than {_MAX_NESTED} deep")
    if nested > 1 and data.get("compile_config"):
        raise _Unknown("has a model within it that brings an optimizer")
    config = data["config"]
    _check_objects([value for key, value in config.items() if key != "layers"])
    layers = config["layers"]
    if len(layers) > MAX_LAYERS:
        raise _Unknown(f"has {len(layers):,} layers; at most {MAX_LAYERS:,} are allowed")
    return _sequential(layers, nested) if kind == _SEQUENTIAL else _functional(config, layers, nested)


def _sequential(layers: Sequence[Config], nested: int) -> _Part:
    if not layers or _kind(layers[0]) != _INPUT:
        raise ValueError("its first layer does not say what it takes")
    if len(layers) > _MAX_IN_SEQUENCE:
        raise _Unknown(f"has {len(layers):,} layers in one sequence; at most {_MAX_IN_SEQUENCE} are allowed")
    parts: list[_Part] = []
    for layer in layers:
        parts.append(_layer(layer, (parts[-1].output,) if parts else (), nested))
    return _Part((parts[0].output,), parts[-1].output, _total(parts, calls=parts))


def _functional(config: Config, layers: Sequence[Config], nested: int) -> _Part:
    waiting = [
        (layer["name"], layer, sources)
        for layer in layers
        for sources in [_sources(node) for node in layer["inbound_nodes"]] or [()]
    ]
    if len({layer["name"] for layer in layers}) != len(layers) or len(waiting) > 2 * MAX_LAYERS:
        raise ValueError("its layers have the same names, or are called too often")
    parts: dict[str, _Part] = {}
    calls: list[_Part] = []
    # One pass does where each layer stands after those that it depends on; one that is called twice need not.
    while waiting:
        later = []
        for name, layer, sources in waiting:
            if not all(source in parts for source in sources):
                later.append((name, layer, sources))
                continue
            inputs = tuple(parts[source].output for source in sources)
            if name not in parts:
                parts[name] = _layer(layer, inputs, nested)
            elif inputs != parts[name].inputs:
                raise ValueError(f"its layer {str(name)[:40]} is given two shapes")
            calls.append(parts[name])
        if len(later) == len(waiting):
            raise ValueError("its layers wait for each other")
        waiting = later
    (source,), (answer,) = _ends(config["input_layers"]), _ends(config["output_layers"])
    return _Part((parts[source].output,), parts[answer].output, _total(parts.values(), calls=calls))


def _layer(data: Config, inputs: tuple[Shape, ...], nested: int) -> _Part:
    """A layer, or a model within a model, that is given these shapes."""
    kind = _kind(data)
    if kind in (_SEQUENTIAL, _FUNCTIONAL):
        part = _model(data, nested=nested + 1)
        if part.inputs != inputs:
            raise ValueError("a model within it is given another shape than it takes")
        return part
    rule = LAYERS.get(kind)
    if rule is None:
        raise _Unknown(
            f"has a layer of the kind {_shown(kind)}, which none of AquaDash's has; program code in a file is never run"
        )
    config, built = data["config"], data.get("build_config")
    _check_objects([config])
    if used := [name for name in _UNCOUNTED if config.get(name)]:
        raise _Unknown(f"has the setting {used[0]}, which none of AquaDash's has")
    if config.get("data_format", "channels_last") != "channels_last":
        raise ValueError("its images have their channels first")
    # Keras makes a layer's numbers for the shape that is written here, before it looks at what the layer is given.
    if built and (set(built) != {"input_shape"} or _written_shapes(built["input_shape"]) != inputs):
        raise ValueError(f"its layer {str(config.get('name'))[:40]} is made for another shape than it is given")
    output, parameters = rule(config, inputs)
    values = math.prod(output)
    return _Part(inputs, output, ModelCost(parameters, 1, values, values))


def _total(parts: Iterable[_Part], *, calls: Iterable[_Part]) -> ModelCost:
    """Each part keeps its numbers once, and gives its values each time that it is called."""
    kept, given = [part.cost for part in parts], [part.cost for part in calls]
    return ModelCost(
        sum(cost.parameters for cost in kept),
        sum(cost.layers for cost in kept),
        sum(cost.activations for cost in given),
        max(cost.largest for cost in given),
    )


def _kind(data: Config) -> tuple[str, str]:
    """Module and class. A class that somebody has registered under a name of its own is none of Keras's."""
    kind = data["module"], data["class_name"]
    if data.get("registered_name") not in (None, data["class_name"]):
        raise _Unknown(
            f"has a part of the kind {str(data.get('registered_name'))[:60]!r}, which none of AquaDash's has"
        )
    return kind


def _shown(kind: tuple[str, str]) -> str:
    return str(kind[1])[:60]


def _sources(node: Config) -> tuple[str, ...]:
    """The names of the layers whose outputs a call is given."""
    if any(value not in (None, True, False) for value in node["kwargs"].values()):
        raise ValueError("a layer of it is called in a way that AquaDash does not know")
    (given,) = node["args"]
    tensors = given if isinstance(given, list) else [given]
    if any(tensor["class_name"] != "__keras_tensor__" for tensor in tensors):
        raise ValueError("a layer of it is given something that is no layer's output")
    return tuple(tensor["config"]["keras_history"][0] for tensor in tensors)


def _ends(written: Sequence[Any]) -> list[str]:
    """The layers where a model begins or ends: one with two numbers, or a list of such."""
    return [str(end[0]) for end in ([written] if isinstance(written[0], str) else written)]


def _written_shapes(written: Sequence[Any]) -> tuple[Shape, ...]:
    """One shape, or a list of them, without the images' own dimension."""
    shapes = written if isinstance(written[0], list) else [written]
    return tuple(tuple(shape[1:]) for shape in shapes)


def _check_objects(values: list[Any]) -> None:
    """Refuse whatever Keras would make an object of that no network of AquaDash has."""
    while values:
        value = values.pop()
        if isinstance(value, list):
            values += value
        elif isinstance(value, dict):
            values += value.values()
            kind = value.get("module"), value.get("class_name")
            if "class_name" in value and kind not in _OBJECTS:
                raise _Unknown(f"has a part of the kind {str(kind[1])[:60]!r}, which none of AquaDash's has")
            if kind == _DTYPE and value["config"]["name"] not in _DTYPES:
                raise _Unknown(f"calculates in {str(value['config']['name'])[:40]!r}, which none of AquaDash's does")
            for name, setting in value.items():
                # By its name Keras would make any initializer, slow ones too; it writes them out when it saves.
                if isinstance(setting, str) and (
                    name.endswith("_initializer") or (name == "dtype" and setting not in _DTYPES)
                ):
                    raise _Unknown(f"has the setting {name[:40]} as {setting[:40]!r}, which none of AquaDash's has")


def _whole(value: object, least: int = 1) -> int:
    if type(value) is not int or value < least:
        raise ValueError(f"a size in it is {str(value)[:40]}")
    return value


def _pair(values: Sequence[object], least: int = 1) -> tuple[int, int]:
    first, second = values
    return _whole(first, least), _whole(second, least)


def _windows(config: Config, sides: Sequence[int], window: tuple[int, int]) -> Shape:
    """How often a window fits, in each direction."""
    strides, dilation = _pair(config["strides"]), _pair(config.get("dilation_rate", (1, 1)))
    found = []
    for side, extent, step, gap in zip(sides, window, strides, dilation, strict=True):
        covered = 1 if config["padding"] == "same" else (extent - 1) * gap + 1
        if config["padding"] not in ("same", "valid") or side < covered:
            raise ValueError("a window in it does not fit")
        found.append((side - covered) // step + 1)
    return tuple(found)


def _input(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    batch, *shape = config["batch_shape"]
    if batch is not None or inputs:
        raise ValueError("it takes a fixed number of images")
    return tuple(_whole(side) for side in shape), 0


def _convolution(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((height, width, channels),) = inputs
    kernel, filters, groups = _pair(config["kernel_size"]), _whole(config["filters"]), _whole(config.get("groups", 1))
    parameters = math.prod(kernel) * (channels // groups) * filters + (filters if config["use_bias"] else 0)
    return (*_windows(config, (height, width), kernel), filters), parameters


def _depthwise(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((height, width, channels),) = inputs
    kernel, given = _pair(config["kernel_size"]), channels * _whole(config["depth_multiplier"])
    return (*_windows(config, (height, width), kernel), given), given * (
        math.prod(kernel) + (1 if config["use_bias"] else 0)
    )


def _pooling(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((height, width, channels),) = inputs
    return (*_windows(config, (height, width), _pair(config["pool_size"])), channels), 0


def _global_pooling(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((_, _, channels),) = inputs
    return (1, 1, channels) if config["keepdims"] else (channels,), 0


def _dense(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((*places, features),) = inputs
    units = _whole(config["units"])
    return (*places, units), features * units + (units if config["use_bias"] else 0)


def _normalization(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    (shape,) = inputs
    if config["axis"] not in (-1, len(shape)):
        raise ValueError("it does not normalise channels")
    # Mean and variance, and for each of the two a number that is learned.
    return shape, shape[-1] * (2 + bool(config["scale"]) + bool(config["center"]))


def _flatten(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    (shape,) = inputs
    return (math.prod(shape),), 0


def _reshape(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    (shape,) = inputs
    target = tuple(_whole(side) for side in config["target_shape"])
    if math.prod(target) != math.prod(shape):
        raise ValueError("it reshapes to another number of values")
    return target, 0


def _padding(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((height, width, channels),) = inputs
    rows, columns = (sum(_pair(sides, least=0)) for sides in config["padding"])
    return (height + rows, width + columns, channels), 0


def _mirrored_edges(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((height, width, channels),) = inputs
    images, rows, columns, colours = (_pair(sides, least=0) for sides in config["pad_width"])
    if images != (0, 0) or colours != (0, 0) or config["mode"] != "reflect":
        raise ValueError("it adds something else than mirrored edges")
    if max(rows) >= height or max(columns) >= width:
        raise ValueError("it mirrors more than there is")
    return (height + sum(rows), width + sum(columns), channels), 0


def _cropping(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((height, width, channels),) = inputs
    rows, columns = (sum(_pair(sides, least=0)) for sides in config["cropping"])
    if rows >= height or columns >= width:
        raise ValueError("it cuts everything off")
    return (height - rows, width - columns, channels), 0


def _resizing(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    ((_, _, channels),) = inputs
    return (*_pair((config["height"], config["width"])), channels), 0


def _rescaled(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    (shape,) = inputs
    for setting in (config["scale"], config["offset"]):
        numbers = setting if isinstance(setting, list) else [setting]
        # More numbers, or lists of them, would stretch the images.
        if len(numbers) not in (1, shape[-1]) or any(type(number) not in (int, float) for number in numbers):
            raise ValueError("it rescales by something else than a number a channel")
    return shape, 0


def _merged(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    """Value by value; a side of 1 is stretched to the others'."""
    merged = tuple(max(sides) for sides in zip(*inputs, strict=True))
    if any(side not in (1, most) for shape in inputs for side, most in zip(shape, merged, strict=True)):
        raise ValueError("it merges shapes that do not fit")
    return merged, 0


def _concatenated(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    first, *others = inputs
    if config["axis"] not in (-1, len(first)) or any(shape[:-1] != first[:-1] for shape in others):
        raise ValueError("it joins shapes that do not fit")
    return (*first[:-1], sum(shape[-1] for shape in inputs)), 0


def _same(config: Config, inputs: Sequence[Shape]) -> tuple[Shape, int]:
    (shape,) = inputs
    return shape, 0


_INPUT = "keras.layers", "InputLayer"
_SEQUENTIAL = "keras", "Sequential"
_FUNCTIONAL = "keras.src.models.functional", "Functional"

#: The kinds of layers that AquaDash's networks are made of, by module and class.
LAYERS: dict[tuple[str, str], _Rule] = {
    _INPUT: _input,
    ("keras.src.ops.numpy", "Flip"): _same,
    ("keras.src.ops.numpy", "Pad"): _mirrored_edges,
    **{
        ("keras.layers", name): rule
        for name, rule in {
            "Conv2D": _convolution,
            "DepthwiseConv2D": _depthwise,
            "MaxPooling2D": _pooling,
            "AveragePooling2D": _pooling,
            "GlobalAveragePooling2D": _global_pooling,
            "GlobalMaxPooling2D": _global_pooling,
            "Dense": _dense,
            "BatchNormalization": _normalization,
            "Flatten": _flatten,
            "Reshape": _reshape,
            "ZeroPadding2D": _padding,
            "Cropping2D": _cropping,
            "Resizing": _resizing,
            "Add": _merged,
            "Average": _merged,
            "Multiply": _merged,
            "Concatenate": _concatenated,
            "Activation": _same,
            "Dropout": _same,
            "ReLU": _same,
            "Rescaling": _rescaled,
        }.items()
    },
}

_DTYPE = "keras", "DTypePolicy"
_DTYPES = {"float32", "bfloat16", "mixed_bfloat16"}
#: What layers may be given besides numbers and texts.
_OBJECTS = {
    _DTYPE,
    *(
        ("keras.initializers", name)
        for name in (
            "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Ones", "RandomNormal",
            "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
        )
    ),
    *(("keras.regularizers", name) for name in ("L1", "L2", "L1L2")),
}  # fmt: skip
