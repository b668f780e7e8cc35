"""Photographs of none of the five classes, to measure how well a model notices that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash import settings
from aquadash.data import archive, cifar100, unpickle
from aquadash.errors import DataError

#: As many as are shown to a model after a training; all 9,500 would take some networks longer than they learnt.
MOST = 2_000


def strangers(source: str, *, most: int | None = MOST) -> NDArray[np.uint8] | None:
    """Test images of CIFAR-100's other classes, as many of the archive's as wanted, at even distances.

    Args:
        source: The data source that a model was trained on.
        most: How many at most; None for all, 9,500 in the official archive.

    Returns:
        uint8, (n, 32, 32, 3); None for a source that has no such images.

    Raises:
        DataError: The archive is damaged.
    """
    if source != "cifar100":
        return None
    path = cifar100.locate()
    if path is None:
        return None
    kept = settings.home() / "cache" / f"strangers-{most}-{cifar100.cache_key()}.npy"
    try:
        return np.load(kept, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        pass
    found = _decode(unpickle.loads(archive.read_members(path)["test"], what=f"'test' in {path.name}"))
    if most is not None and len(found) > most:
        found = found[np.arange(most) * len(found) // most]
    if not len(found):
        return None
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, found, allow_pickle=False)
    except OSError:
        pass
    return found


def _decode(values: object) -> NDArray[np.uint8]:
    fields = {str(key, "ascii") if isinstance(key, bytes) else key: value for key, value in dict(values).items()}  # type: ignore[call-overload]
    rows, fine = fields.get("data"), np.asarray(fields.get("fine_labels", []))
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint8 or rows.shape != (len(fine), 3072):
        raise DataError("The test images of this CIFAR-100 archive are damaged: expected bytes in rows of 3072.")
    others = rows[~np.isin(fine, list(cifar100.FINE_LABELS.values()))]
    return np.ascontiguousarray(others.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
