"""Reading NumPy files that may come from anywhere, without unpickling and without filling the memory."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Number types and fixed-length text; objects would be pickles.
_KINDS = frozenset("biufU")
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def check_arrays(path: Path, *, max_bytes: int) -> None:
    """Read every array of an ``.npz`` file once, to its check sum.

    Args:
        path: The file.
        max_bytes: What its arrays may take together.

    Raises:
        ValueError: An array claims other bytes than it has, holds Python objects, or they take more.
        Exception: Whatever NumPy and zipfile raise for a damaged file.
    """
    with zipfile.ZipFile(path) as archive:
        total = sum(info.file_size for info in archive.infolist())
        if total > max_bytes:
            raise ValueError(f"it unpacks to {total:,} bytes; at most {max_bytes:,} are expected")
        for info in archive.infolist():
            with archive.open(info) as file:
                shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
                if dtype.kind not in _KINDS or dtype.hasobject:
                    raise ValueError(f"{info.filename[:40]!r} holds {dtype}; expected numbers or text")
                claimed, left = dtype.itemsize, info.file_size - file.tell()
                for length in shape:
                    claimed *= int(length)
                if claimed != left:
                    raise ValueError(f"{info.filename[:40]!r} claims {claimed:,} bytes and has {left:,}")
                while file.read(1 << 20):
                    pass


def read_arrays(path: Path, *, max_bytes: int) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file by name, after :func:`check_arrays`; raises what that does."""
    check_arrays(path, max_bytes=max_bytes)
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)
