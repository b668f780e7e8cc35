"""Looking at NumPy files that may come from anywhere, without unpickling and without filling the memory."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from aquadash.export.zip_files import ForeignZipError, checked_members

#: Number types and fixed-length text; objects would be pickles.
_KINDS = frozenset("biufU")

#: A probability row may be off by what half precision rounds.
_TOLERANCE = 1e-2


def check_arrays(path: Path) -> None:
    """Read every array of an ``.npz`` file once.

    Raises:
        ForeignZipError: An array claims other bytes than it has, or holds Python objects.
        Exception: Whatever NumPy and zipfile raise for a damaged file.
    """
    with zipfile.ZipFile(path) as archive:
        for name, info in checked_members(archive).items():
            with archive.open(info) as file:
                version = np.lib.format.read_magic(file)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }.get(version)
                if read is None:
                    raise ForeignZipError(f"{name} in {path.name} is of a version that NumPy does not write here.")
                shape, _, dtype = read(file)
                if dtype.kind not in _KINDS or dtype.hasobject:
                    raise ForeignZipError(f"{name} in {path.name} holds {dtype}; expected numbers or text.")
                claimed = dtype.itemsize
                for length in shape:
                    claimed *= int(length)
                left = info.file_size - file.tell()
                if claimed != left:
                    raise ForeignZipError(f"{name} in {path.name} claims {claimed:,} bytes and has {left:,}.")
                # To the end, so that its check sum is compared.
                while file.read(1 << 20):
                    pass


def check_predictions(path: Path, *, num_classes: int) -> None:
    """Check that the arrays of predictions belong together.

    Raises:
        ForeignZipError: They do not.
        KeyError: One is missing.
    """
    with np.load(path, allow_pickle=False) as arrays:
        indices, labels, probabilities = arrays["indices"], arrays["labels"], arrays["probabilities"]
    count = len(labels)
    fits = (
        indices.shape == labels.shape == (count,)
        and probabilities.shape == (count, num_classes)
        and probabilities.dtype.kind == "f"
        and labels.dtype.kind in "iu"
        and indices.dtype.kind in "iu"
    )
    if not fits:
        raise ForeignZipError(f"The arrays of {path.name} do not belong together.")
    if count and not (
        np.isfinite(probabilities).all()
        and np.abs(probabilities.sum(axis=1) - 1.0).max() < _TOLERANCE
        and 0 <= labels.min() <= labels.max() < num_classes
        and indices.min() >= 0
    ):
        raise ForeignZipError(f"{path.name} holds numbers that are no probabilities or no labels.")
