"""Files of networks that are damaged, hostile or not AquaDash's, read without TensorFlow."""

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
from aquadash.errors import StorageError
from aquadash.models.network_file import parameter_count, stored_weights

Config = dict[str, Any]


def layer(kind: str, **config: Any) -> Config:
    return {"module": "keras.layers", "class_name": kind, "config": {"name": kind.lower(), **config}}


def sequential(*layers: Config, shape: tuple[object, ...] = (8, 8, 3)) -> Config:
    takes = layer("InputLayer", batch_shape=[None, *shape])
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "made", "layers": [takes, *layers]}}


def rescaling(scale: object) -> Config:
    return sequential(layer("Rescaling", scale=scale, offset=0.0))


def nested(deep: int) -> Config:
    model = sequential(layer("Dense"))
    for _ in range(deep):
        model = sequential(model)
    return model


def claim_100_gb(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/0", (25_000_000_000,), np.float32, chunks=(1_000_000,), compression="gzip")


def pad(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/0", data=np.zeros(100_000, np.uint8))


def chain(groups: int) -> Callable[[h5py.File], None]:
    """Groups within groups, one in each."""

    def write(file: h5py.File) -> None:
        group: h5py.Group = file
        for _ in range(groups):
            group = group.create_group("layers")

    return write


def write(
    path: Path, description: Config | str, weights: Callable[[h5py.File], object] | None = None, *more: str
) -> Path:
    text = description if isinstance(description, str) else json.dumps(description)
    with h5py.File(path.with_suffix(".h5"), "w") as file:
        if weights is not None:
            weights(file)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", *more):
            archive.writestr(name, "{}")
        archive.writestr("config.json", text)
        archive.write(path.with_suffix(".h5"), "model.weights.h5")
    return path


DENSE = sequential(layer("Dense"))

#: Hostile settings of a network, and the error that each gets.
HOSTILE: dict[str, tuple[Config | str, str]] = {
    "weights of 100 GB": (DENSE, "claims 100,000,000,000 bytes"),
    "a chain of 8,000 groups": (DENSE, "claims 0 bytes of weights in a file of 8,"),
    "one file too many": (sequential(), "it has the members ['assets/code.py'"),
    "long description": (sequential(layer("x" * 5_000_000)), "described in 10,000"),
    "a long name": (sequential(layer("x" * 1_000)), "it has a layer of the name layers/xxx"),
    "models within models": (nested(100), "it has a layer of the name layers/sequential/layers/seq"),
    "many layers": (sequential(*[layer("Dense")] * 4_000), "it has 4,001 layers"),
    "nested too deep for JSON": ('{"a":' * 100_000, "cannot be loaded"),
    "no model": ("[1, 2]", "cannot be loaded"),
    "a layer that is none": (sequential(layer("Dense") | {"config": None}), "cannot be loaded"),
    "padding": (sequential(), "claims 0 bytes of weights in a file of"),
    "images of no size": (sequential(shape=(8, None, 3)), "images of the shape (8, None, 3)"),
    "a size that is a text": (sequential(shape=("8", 8, 3)), "images of the shape ('8', 8, 3)"),
    "grey images": (sequential(shape=(8, 8, 1)), "images of the shape (8, 8, 1)"),
    "a list that stretches": (rescaling([1.0] * 100_000), "rescales 100000 channels"),
    "lists in lists": (rescaling([[1.0]] * 3), "cannot be loaded"),
    "4,000 digits": (rescaling(int("7" * 4_000)), "cannot be loaded"),
}

WEIGHTS = {"weights of 100 GB": claim_100_gb, "padding": pad, "a chain of 8,000 groups": chain(8_000)}

_LOOK = """
import json, sys, time
from pathlib import Path
from aquadash.errors import StorageError
from aquadash.models.network_file import check_network
found = []
for path in sys.argv[1:]:
    started = time.perf_counter()
    try:
        said = str(check_network(Path(path)))
    except StorageError as error:
        said = str(error)
    found.append([said, time.perf_counter() - started])
print(json.dumps([found, "tensorflow" in sys.modules, "keras" in sys.modules]))
"""


def test_hostile_files_are_refused_at_once_without_tensorflow(tmp_path: Path) -> None:
    paths = [
        write(
            tmp_path / f"{number}.keras",
            description,
            WEIGHTS.get(name),
            *(["assets/code.py"] if "too many" in name else []),
        )
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


def test_a_damaged_network_says_so(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04 torn", b"no archive"):
        (tmp_path / "model.keras").write_bytes(content)
        with pytest.raises(StorageError, match="damaged"):
            stored_weights(tmp_path / "model.keras", lambda one: one[()])


def test_a_network_whose_weights_are_those_of_other_files_is_refused(tmp_path: Path) -> None:
    secret, other = tmp_path / "codes.json", tmp_path / "other.h5"
    secret.write_bytes(b"secret" * 4)
    with h5py.File(other, "w") as file:
        file["layers/dense/vars/0"] = file["codes"] = np.arange(6.0)
    layout = h5py.VirtualLayout((6,), "f8")
    layout[:] = h5py.VirtualSource(other, "codes", (6,))
    place = "layers/dense/vars/0"
    kinds = {
        "lies in another file": lambda file: file.create_dataset(place, (6,), "f4", external=[(secret, 0, 24)]),
        "0 lies in another file": lambda file: file.create_virtual_dataset(place, layout),
        "is a link": lambda file: file.update({"layers": h5py.ExternalLink(other, "layers")}),
        "0 is a link": lambda file: file.update({place: h5py.SoftLink("/layers")}),
    }
    for said, make in kinds.items():
        with pytest.raises(StorageError, match=said):
            stored_weights(write(tmp_path / "model.keras", DENSE, make), lambda one: one[()])


def test_the_count_agrees_with_keras(tmp_path: Path) -> None:
    config = ModelConfig(name="cnn", filters=(4,), batch_normalization=True, dense_units=(8,), dropout=0.5)
    model = models.build(config, image_shape=(8, 8, 3), num_classes=5)
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    assert parameter_count(tmp_path / "model.keras") == model.count_params()
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    for name in ("broken", "missing"):
        with pytest.raises(StorageError):
            parameter_count(tmp_path / f"{name}.keras")
