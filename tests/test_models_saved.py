"""What a saved network will cost is known before anything of it is built; what is too much or unknown is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.models.applications import APPLICATIONS
from aquadash.models.saved import check_model_file

Config = dict[str, Any]


def layer(kind: str, **config: Any) -> Config:
    return {"module": "keras.layers", "class_name": kind, "registered_name": None, "config": config}


def takes(*shape: int) -> Config:
    return layer("InputLayer", batch_shape=[None, *shape], dtype="float32", name="images")


def dense(units: int, **more: Any) -> Config:
    return layer("Dense", units=units, use_bias=True, **more)


def convolution(filters: int = 4, **more: Any) -> Config:
    given = {"filters": filters, "kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "use_bias": True}
    return layer("Conv2D", **{**given, **more})


def sequential(*layers: Config) -> Config:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "made", "layers": list(layers)}}


def functional(config: Config, **nodes: list[str]) -> Config:
    """Layers by name, and what each is called with."""
    layers = [
        {**described, "name": name, "inbound_nodes": [_node(source) for source in nodes[name]]}
        for name, described in config.items()
    ]
    first, *_, last = config
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {
            "name": "made", "layers": layers, "input_layers": [first, 0, 0], "output_layers": [[last, 0, 0]]
        },
    }  # fmt: skip


def chain(times: int) -> Config:
    """Convolutions, each of which is given what the one before gives."""
    names = ["images", *(f"convolution{number}" for number in range(times))]
    layers = {name: convolution(3) for name in names[1:]}
    nodes = {name: [before] for before, name in zip(names, names[1:], strict=False)}
    return functional({"images": takes(32, 32, 3), **layers}, images=[], **nodes)


def _node(*sources: str) -> Config:
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [source, 0, 0]}} for source in sources]
    return {"args": [tensors], "kwargs": {"mask": None}}


def flat(*layers: Config) -> Config:
    return sequential(takes(32, 32, 3), layer("Flatten"), *layers)


def small(*layers: Config) -> Config:
    return sequential(takes(8, 8, 3), *layers)


def claim_100_gb(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/0", (25_000_000_000,), np.float32, chunks=(1_000_000,), compression="gzip")


def write(path: Path, description: Config | str, weights: Callable[[h5py.File], None] | None = None) -> Path:
    text = description if isinstance(description, str) else json.dumps(description)
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        if weights is not None:
            weights(file)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", text)
        archive.write(path.with_suffix(".h5"), "model.weights.h5")
    return path


def mirrored_edges(widths: list[list[int]]) -> Config:
    return with_key(layer("Pad", pad_width=widths, mode="reflect"), module="keras.src.ops.numpy")


def nested(times: int) -> Config:
    """A model in a model in a model ..."""
    inner = sequential(takes(8), dense(8))
    for _ in range(times):
        inner = sequential(takes(8), inner)
    return inner


def crowd(times: int) -> Config:
    """Each model calls the one within it a hundred times."""
    inner = sequential(takes(1_000), dense(1_000))
    for _ in range(times):
        inner = functional({"images": takes(1_000), "body": inner}, images=[], body=["images", *["body"] * 99])
    return inner


def with_key(described: Config, **more: Any) -> Config:
    return {**described, **more}


FLOAT64 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float64"}}
OPTIMIZER = {"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {}}}

#: What somebody may send, and what is said of it.
HOSTILE: dict[str, tuple[Config | str, str]] = {
    "700,000 units": (flat(dense(700_000), dense(5)), "2,154,600,005 parameters; at most 100,000,000"),
    "3,000 convolutions": (chain(3_000), "3,001 layers; at most"),
    "51 in a sequence": (flat(*[dense(8)] * 49), "51 layers in one sequence"),
    "3,000 convolutions in four models": (sequential(takes(32, 32, 3), *[chain(750)] * 4), "3,005 layers"),
    "enlarged": (
        small(layer("Resizing", height=20_000, width=20_000)),
        "1,200,000,192 values that its layers give for one image",
    ),
    "one large map": (small(layer("ZeroPadding2D", padding=[[0, 9_000], [0, 2_000]])), "values that one layer gives"),
    "mirrored edges of other images": (small(mirrored_edges([[0, 9], [0, 1], [0, 1], [0, 0]])), "mirrored edges"),
    "edges as large as the image": (small(mirrored_edges([[0, 0], [0, 8], [0, 1], [0, 0]])), "than there is"),
    "channels first": (small(layer("Resizing", height=9, width=9, data_format="channels_first")), "channels first"),
    "cut to nothing": (small(layer("Cropping2D", cropping=[[4, 4], [0, 0]])), "everything off"),
    "nested deep": (nested(6), "models within models"),
    "nested too deep for JSON": ('{"a":' * 100_000, "cannot be loaded"),
    "called a million times": (crowd(3), "values that its layers give"),
    "made for another shape": (
        flat(with_key(dense(5), build_config={"input_shape": [None, 1_000_000_000]})),
        "made for another shape",
    ),
    "weights of 100 GB": (flat(dense(5)), "claims 100,000,000,000 bytes"),
    "long description": (flat(dense(5, name="x" * 5_000_000)), "described in 5,000"),
    "more numbers than units": (flat(dense(5, lora_rank=100_000_000)), "the setting lora_rank"),
    "larger than it says": (small(layer("Resizing", height=8, width=8, pad_to_aspect_ratio=True)), "pad_to_aspect"),
    "a list that stretches": (small(layer("Rescaling", scale=[1.0] * 100_000, offset=0.0)), "a number a channel"),
    "lists in lists": (small(layer("Rescaling", scale=[[1.0]] * 3, offset=0.0)), "a number a channel"),
    "program code": (flat(layer("Lambda", function={"class_name": "__lambda__"})), "the kind Lambda"),
    "code as a part": (flat(dense(5, activation={"class_name": "function"})), "the kind 'function'"),
    "registered": (flat(with_key(dense(5), registered_name="evil>Dense")), "'evil>Dense'"),
    "another module": (flat(with_key(dense(5), module="os")), "the kind Dense"),
    "slow start": (flat(dense(5, kernel_initializer="orthogonal")), "'orthogonal'"),
    "twice the bytes": (flat(dense(5, dtype=FLOAT64)), "'float64'"),
    "optimizer within": (
        sequential(takes(8), with_key(sequential(takes(8), dense(8)), compile_config=OPTIMIZER)),
        "optimizer",
    ),
    "a circle": (
        functional({"images": takes(8), "a": dense(8), "b": dense(8)}, images=[], a=["b"], b=["a"]),
        "wait for each other",
    ),
    "sizes that are none": (flat(dense(-5)), "a size in it is -5"),
    "a size that is a text": (flat(dense("5")), "a size in it is 5"),
    "4,000 digits": (json.dumps(flat(dense(7))).replace("7", "7" * 4_000), "parameters; at most"),
    "no model": ("[1, 2]", "cannot be loaded"),
    "a class that is a list": (with_key(flat(), class_name=["Sequential"]), "none of AquaDash's"),
}

_LOOK = """
import json, sys, time
from pathlib import Path
from aquadash.errors import StorageError
from aquadash.models import check_model_file
found = []
for path in sys.argv[1:]:
    started = time.perf_counter()
    try:
        said = str(check_model_file(Path(path)))
    except StorageError as error:
        said = str(error)
    found.append([said, time.perf_counter() - started])
print(json.dumps([found, "tensorflow" in sys.modules, "keras" in sys.modules]))
"""


def test_hostile_networks_are_refused_at_once_without_tensorflow(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{number}.keras", description, claim_100_gb if "100 GB" in name else None)
        for number, (name, (description, _)) in enumerate(HOSTILE.items())
    ]
    told = subprocess.run(
        [sys.executable, "-c", _LOOK, *map(str, paths)], check=True, capture_output=True, text=True, timeout=120
    )
    found, *imported = json.loads(told.stdout)
    assert imported == [False, False]
    for (name, (_, expected)), (said, seconds) in zip(HOSTILE.items(), found, strict=True):
        assert expected in said, (name, said)
        assert seconds < 2, (name, seconds)


def test_a_sound_one_is_counted(tmp_path: Path) -> None:
    found = check_model_file(write(tmp_path / "model.keras", flat(dense(10), dense(5))))
    assert found == models.ModelCost(
        parameters=3072 * 10 + 10 + 10 * 5 + 5, layers=4, activations=3072 + 3072 + 10 + 5, largest=3072
    )


def test_a_model_that_is_called_twice_counts_its_parameters_once(tmp_path: Path) -> None:
    body = sequential(takes(8), dense(8))
    called = functional({"images": takes(8), "body": body}, images=[], body=["images", "images"])
    assert check_model_file(write(tmp_path / "model.keras", called)) == models.ModelCost(72, 3, 8 + 2 * 16, 8)


def built(config: ModelConfig, side: int = 32) -> Any:
    from aquadash.training.phases import with_flip

    network = models.build(config, image_shape=(side, side, 3), num_classes=5)
    return with_flip(network) if config.test_time_flip else network


FULL_HEAD = {"dense_units": (4096, 4096, 4096, 4096), "test_time_flip": True, "l2": 0.1}


@pytest.mark.parametrize(
    "values",
    [
        *({"name": name} for name in models.MODELS if name not in APPLICATIONS),
        *({"name": name, "input_size": 512, **FULL_HEAD} for name in APPLICATIONS),
        {
            "name": "cnn", "filters": (32, 64, 128), "batch_normalization": True, "residual": True, "convolutions": 3,
            "activation": "gelu", "pooling": "average", "summary": "average", "test_time_flip": True, "l1": 0.1,
            "normalization": "standardize",
        },
        {"name": "cnn", "summary": "max", "pooling": "none", "normalization": "symmetric", "convolutions": 2},
    ],
    ids=str,
)  # fmt: skip
def test_every_network_that_can_be_trained_passes_and_is_counted_exactly(values: Config, tmp_path: Path) -> None:
    import keras

    network = built(ModelConfig(**values), side=64)
    path = write(tmp_path / "model.keras", json.dumps(keras.saving.serialize_keras_object(network)))
    found = check_model_file(path)
    summary = models.summarize(network)
    assert found.parameters == network.count_params()
    sizes = [np.prod(row.output_shape) for row in summary.layers]
    assert found.largest == max(*sizes, 64 * 64 * 3)
    assert found.activations >= sum(sizes) and found.layers > len(sizes)
