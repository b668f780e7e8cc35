"""Keeps decoded splits on disk, so that the next process need not decode them again.

A cache may be lost, damaged or impossible to write at any time; then loading is slow, and nothing else happens.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from aquadash import settings
from aquadash.data.dataset import Split
from aquadash.files import replacing


def read(name: str) -> tuple[Split, Split, str] | None:
    """The training split, the test split and the note stored as ``name``, or None if there is no sound copy."""
    try:
        # Opened here, because np.load leaves a file that is not a zip archive open.
        with _path(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            train, test = (
                Split(
                    arrays[f"{part}_images"],
                    arrays[f"{part}_labels"].astype(np.int64, casting="safe"),
                    tuple(arrays[f"{part}_names"].tolist()),
                )
                for part in ("train", "test")
            )
            return train, test, str(arrays["note"])
    except Exception:  # a damaged file can raise nearly anything, and any fault means the same: no copy
        return None


def write(name: str, train: Split, test: Split, note: str) -> None:
    """Store both splits and a note as ``name``, whole or not at all; a fault is passed over."""
    arrays = {"note": np.array(note)}
    for part, split in (("train", train), ("test", test)):
        arrays[f"{part}_images"] = split.images
        arrays[f"{part}_labels"] = split.labels
        arrays[f"{part}_names"] = np.array(split.file_names, dtype=np.str_)
    path = _path(name)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, allow_pickle=False, **arrays)


def _path(name: str) -> Path:
    return settings.home() / "cache" / f"{name}.npz"
