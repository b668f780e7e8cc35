"""How many numbers a stored network has, read from its file without building it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

#: Within a ``.keras`` file, which is a ZIP.
_WEIGHTS = "model.weights.h5"
_MOST_BYTES = 2_000_000_000


def stored_parameters(path: Path) -> int | None:
    """The network's weights and moving averages, as Keras's ``count_params`` counts them; None if unreadable.

    Args:
        path: A ``.keras`` file.
    """
    import h5py

    total = 0

    def add(name: str, item: object) -> None:
        nonlocal total
        # A layer that draws at random keeps the state of its generator beside its weights.
        if isinstance(item, h5py.Dataset) and "seed_generator" not in name and not name.startswith("optimizer"):
            total += int(item.size)

    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_WEIGHTS).file_size > _MOST_BYTES:
                return None
            with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as weights:
                weights.visititems(add)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return total
