"""Archives in the form of CIFAR-100, for the tests of what reads them."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash.data import cifar100
from aquadash.errors import DataError


def batch(part: str) -> dict[bytes, Any]:
    """As many animals as the real batch has, shuffled, between images of other classes."""
    rng = np.random.default_rng(len(part))
    fine = np.repeat([*cifar100.FINE_LABELS.values(), 0, 99], cifar100.IMAGES_PER_CLASS[part])
    fine = rng.permutation(fine)
    data = np.repeat(np.arange(len(fine), dtype=np.uint32) % 251, 3072).astype(np.uint8).reshape(-1, 3072)
    return {
        b"data": data,
        b"fine_labels": fine.tolist(),
        b"coarse_labels": np.where(np.isin(fine, list(cifar100.FINE_LABELS.values())), 0, 7).tolist(),
        b"filenames": [b"image_%d.png" % i for i in range(len(fine))],
    }


def meta() -> dict[bytes, Any]:
    fine = [b"class_%d" % i for i in range(100)]
    for name, label in cifar100.FINE_LABELS.items():
        fine[label] = name.encode()
    return {b"fine_label_names": fine, b"coarse_label_names": [b"aquatic_mammals", *[b"x%d" % i for i in range(19)]]}


def sound_members() -> dict[str, dict[bytes, Any]]:
    """The three members of a sound archive."""
    return {"train": batch("train"), "test": batch("test"), "meta": meta()}


def pickled(values: dict[str, Any]) -> dict[str, bytes]:
    return {name: pickle.dumps(value, protocol=2) for name, value in values.items()}


def write(path: Path, values: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in pickled(values).items():
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def without_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let that folder be Keras's, and no archive be downloaded."""
    monkeypatch.setenv("KERAS_HOME", str(folder))

    def no_network(*args: object, **options: object) -> None:
        raise DataError("no network")

    monkeypatch.setattr(cifar100, "download", no_network)
