"""Files of weights as ``keras.applications`` has them, and files of networks as Keras saves them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.models import transfer

if TYPE_CHECKING:
    import keras


def write_like_keras(network: keras.Model, path: Path) -> None:
    """Write weights in the layout of the files that Keras offers, which is Keras 1's and 2's ``save_weights``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update({"layer_names": [layer.name.encode() for layer in network.layers], "backend": b"tensorflow"})
        for layer in network.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group.create_dataset(name, data=np.asarray(weight))


def write_body(name: str, path: Path) -> Path:
    """The random weights of a small residual body, by which images that differ have features that do."""
    parts = transfer.parts(models.build(ModelConfig(name=name), image_shape=(16, 16, 3), num_classes=2))
    assert parts is not None
    random = np.random.default_rng(0)
    arrays = {}
    for variable in parts.body.weights:
        spread = 1.0 if "variance" in variable.path or "gamma" in variable.path else 0.0
        noise = random.random(variable.shape) - 0.5
        arrays[variable.path.replace("/", ".")] = (spread + 0.3 * noise).astype(np.float16)
    np.savez(path, **arrays)
    return path


def keras_file(path: Path, parameters: int, *, scale: float = 1.0) -> Path:
    """Write a network's file with so many parameters, 0, ``scale`` and so on, and variables that are no parameters."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/dense/vars/0"] = np.arange(parameters - 2, dtype=np.float32) * scale
        file["layers/dense/vars/1"] = np.zeros(2, np.float32)
        file["layers/dropout/seed_generator/vars/0"] = np.zeros(2)
        file["optimizer/vars/0"] = np.random.default_rng().random(7)
    layers = [
        {"module": "keras.layers", "class_name": kind, "config": {}} for kind in ("InputLayer", "Dropout", "Dense")
    ]
    layers[0]["config"] = {"batch_shape": [None, 32, 32, 3]}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
        archive.writestr("model.weights.h5", buffer.getvalue())
    return path
