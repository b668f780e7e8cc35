"""Corrupted test sets: made by processes of their own, and kept on disk so that the next run need not make them.

A kept set may be lost, damaged or impossible to write at any time; then it is made again, and nothing else happens.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aquadash import settings
from aquadash.files import forget_oldest, replacing
from aquadash.robustness.corruptions import corrupt

#: A corruption and its severity.
Cell = tuple[str, int]

#: Bytes that all kept sets may take together; those that were used longest ago go first. The 75 sets of 500 images of
#: 32 x 32 take 115 MB.
MOST_BYTES = 1_000_000_000

#: Images in one task of another process: small enough to stop within a second, large enough not to be all overhead.
IMAGES_A_TASK = 25

#: Changes whenever the same arguments give other images, so that kept images are not taken for theirs.
_REVISION = 1

#: Sets that are being made while an earlier one is looked at.
_AHEAD = 2

_version = cache(version)


@dataclass(frozen=True, eq=False)
class TestImages:
    """The images of a split that are to be corrupted.

    Attributes:
        images: uint8, shape (n, height, width, 3).
        positions: int64, shape (n,), their positions in the split.
        fingerprint: Of the data set.
        seed: 0 or greater; all random choices follow from it and the positions.
    """

    # Not a test, whatever pytest thinks of its name.
    __test__ = False

    images: NDArray[np.uint8]
    positions: NDArray[np.int64]
    fingerprint: str
    seed: int

    def path(self, cell: Cell) -> Path:
        """Where the corrupted set is kept; the name says which images, corruption, severity and seed it is of."""
        name, severity = cell
        package = _version("imagecorruptions-imaug")
        told = f"{package} {_REVISION} {self.images.shape} {self.fingerprint} {self.seed} {cell}"
        digest = hashlib.sha256(told.encode() + self.positions.astype("<i8").tobytes()).hexdigest()
        return settings.home() / "cache" / "corrupted" / f"{name}-{severity}-{digest[:32]}.npy"


def corrupted_sets(
    source: TestImages,
    cells: Sequence[Cell],
    *,
    executor: Executor | None = None,
    on_images: Callable[[Cell, int], None] | None = None,
) -> Iterator[tuple[Cell, NDArray[np.uint8]]]:
    """The corrupted sets one after the other, in the order asked for.

    Args:
        source: The images.
        cells: Which corruptions and severities.
        executor: Makes the sets, some ahead of the one that is returned; in this thread if not given.
        on_images: Told how many images of a set are ready, as they become ready; may raise to end all of it.
    """
    left = deque(cells)
    coming: deque[tuple[Cell, NDArray[np.uint8] | Iterable[NDArray[np.uint8]]]] = deque()
    while left or coming:
        while left and len(coming) <= _AHEAD:
            cell = left.popleft()
            coming.append((cell, _set_or_parts(source, cell, executor)))
        cell, images = coming.popleft()
        if not isinstance(images, np.ndarray):
            parts = []
            for part in images:
                parts.append(part)
                if on_images is not None:
                    on_images(cell, sum(map(len, parts)))
            images = np.concatenate(parts)
            _keep(source.path(cell), images)
        yield cell, images


def kept(source: TestImages, cell: Cell) -> NDArray[np.uint8] | None:
    """The set, which is read from disk where it is looked at; None where there is no sound copy of it."""
    path = source.path(cell)
    with suppress(OSError, EOFError, ValueError):
        images: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
        if images.dtype == np.uint8 and images.shape == source.images.shape:
            os.utime(path)  # Used just now: the last to go.
            return images
    return None


def sample(source: TestImages, cell: Cell, row: int) -> NDArray[np.uint8]:
    """One image of a set, of shape (height, width, 3): from disk where the set is kept, else made."""
    images = kept(source, cell)
    if images is not None:
        return np.array(images[row])
    part = slice(row, row + 1)
    return corrupt(source.images[part], *cell, seed=source.seed, positions=source.positions[part])[0]


def open_pool() -> ProcessPoolExecutor:
    """Processes that corrupt images, one for every core but the one that the network works on.

    They end with this one, even if it is killed.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = max(1, min(available - 1, 8))
    # Not forked: a copy of a process with threads (of the store, of TensorFlow) may hang.
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_the_parent
    )


def _set_or_parts(
    source: TestImages, cell: Cell, executor: Executor | None
) -> NDArray[np.uint8] | Iterable[NDArray[np.uint8]]:
    """The set where it is kept, else its parts, being made by the executor, or here when they are asked for."""
    found = kept(source, cell)
    if found is not None:
        return found
    name, severity = cell
    starts = range(0, max(1, len(source.images)), IMAGES_A_TASK)
    return (map if executor is None else executor.map)(
        partial(_corrupt_part, name=name, severity=severity, seed=source.seed),
        [source.images[start : start + IMAGES_A_TASK] for start in starts],
        [source.positions[start : start + IMAGES_A_TASK] for start in starts],
    )


def _corrupt_part(
    images: NDArray[np.uint8], positions: NDArray[np.int64], *, name: str, severity: int, seed: int
) -> NDArray[np.uint8]:
    return corrupt(images, name, severity, seed=seed, positions=positions)


def _keep(path: Path, images: NDArray[np.uint8]) -> None:
    """Store a set, whole or not at all, and make room for it; a fault is passed over."""
    if images.nbytes > MOST_BYTES:
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.save(file, images, allow_pickle=False)
        forget_oldest(path.parent, "*.npy", max_bytes=MOST_BYTES)


def _end_with_the_parent() -> None:
    """Watch the process that started this one: the pool's own queues would keep an orphan waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-the-parent", daemon=True).start()
