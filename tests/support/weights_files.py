"""Files of weights as ``keras.applications`` has them, made from networks with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aquadash import models
from aquadash.config import ModelConfig
from aquadash.models import transfer

if TYPE_CHECKING:
    import keras


def write_like_keras(network: keras.Model, path: Path) -> None:
    """Write weights in the layout of the files that Keras offers, which is Keras 1's and 2's ``save_weights``."""
    import h5py

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
