"""Corrupted test sets: made by processes of their own, and kept on disk so that the next run need not make them.

A kept set may be lost, damaged or impossible to write at any time; then it is made again, and nothing else happens.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aquadash import settings
from aquadash.explain.corruptions import REVISION, corrupt

#: A corruption and its severity.
Cell = tuple[str, int]

#: Some images of a set: under way in another process, or to be made here when they are wanted.
Part = Future[NDArray[np.uint8]] | Callable[[], NDArray[np.uint8]]

#: Bytes that all kept sets may take together; those that were used longest ago go first. The 75 sets of 500 images of
#: 32 x 32 take 115 MB.
MOST_BYTES = 1_000_000_000

#: Images in one task of another process: small enough to stop within a second, large enough not to be all overhead.
IMAGES_A_TASK = 25

#: Sets that are being made while an earlier one is looked at.
_AHEAD = 2

_FOLDER = "corrupted"


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
        told = f"{_package_version()} {REVISION} {self.images.shape} {self.fingerprint} {self.seed} {cell}"
        digest = hashlib.sha256(told.encode() + self.positions.astype("<i8").tobytes()).hexdigest()
        return settings.home() / "cache" / _FOLDER / f"{name}-{severity}-{digest[:32]}.npy"


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
    coming: deque[tuple[Cell, NDArray[np.uint8] | list[Part]]] = deque()
    left = deque(cells)
    try:
        while left or coming:
            while left and len(coming) < (1 + _AHEAD if executor else 1):
                cell = left.popleft()
                coming.append((cell, _ordered(source, cell, executor)))
            cell, found = coming[0]
            if isinstance(found, list):
                parts = []
                for part in found:
                    parts.append(part.result() if isinstance(part, Future) else part())
                    if on_images is not None:
                        on_images(cell, sum(map(len, parts)))
                images = np.concatenate(parts)
                _keep(source.path(cell), images)
            else:
                images = found
            coming.popleft()
            yield cell, images
    finally:
        for _, found in coming:
            for part in found if isinstance(found, list) else ():
                if isinstance(part, Future):
                    part.cancel()


def kept(source: TestImages, cell: Cell) -> NDArray[np.uint8] | None:
    """The set if a sound copy of it is on disk, else None."""
    path = source.path(cell)
    try:
        with path.open("rb") as file:
            images = np.load(file, allow_pickle=False)
        if images.dtype != np.uint8 or images.shape != source.images.shape:
            return None
        os.utime(path)  # Used just now: the last to go.
        return np.asarray(images)
    except (OSError, EOFError, ValueError):
        return None


def sample(source: TestImages, cell: Cell, row: int) -> NDArray[np.uint8]:
    """One image of a set, of shape (height, width, 3): from disk where the set is kept, else made."""
    try:
        images = np.load(source.path(cell), mmap_mode="r", allow_pickle=False)
        if images.dtype == np.uint8 and images.shape == source.images.shape:
            return np.array(images[row])
    except (OSError, EOFError, ValueError):
        pass
    part = slice(row, row + 1)
    return _corrupt_part(source.images[part], *cell, source.seed, source.positions[part])[0]


def open_pool(workers: int) -> ProcessPoolExecutor:
    """Processes that corrupt images. They end with this one, even if it is killed."""
    import multiprocessing

    # Not forked: a copy of a process with threads (of the store, of TensorFlow) may hang.
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_the_parent
    )


def workers_here() -> int:
    """How many processes to corrupt with: every core but the one that the network works on."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available - 1, 8))


def _ordered(source: TestImages, cell: Cell, executor: Executor | None) -> NDArray[np.uint8] | list[Part]:
    """The set itself where it is kept, else the parts that are being made."""
    found = kept(source, cell)
    if found is not None:
        return found
    parts: list[Part] = []
    for start in range(0, max(1, len(source.images)), IMAGES_A_TASK):
        piece = slice(start, start + IMAGES_A_TASK)
        task = partial(_corrupt_part, source.images[piece], *cell, source.seed, source.positions[piece])
        parts.append(task if executor is None else executor.submit(task))
    return parts


def _corrupt_part(
    images: NDArray[np.uint8], name: str, severity: int, seed: int, positions: NDArray[np.int64]
) -> NDArray[np.uint8]:
    return corrupt(images, name, severity, seed=seed, positions=positions)


def _end_with_the_parent() -> None:
    """Watch the process that started this one: the pool's own queues would keep an orphan waiting for ever."""
    import multiprocessing
    import threading
    from multiprocessing.connection import wait

    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="end-with-the-parent", daemon=True).start()


def _keep(path: Path, images: NDArray[np.uint8]) -> None:
    """Store a set, whole or not at all, and make room for it; a fault is passed over."""
    if images.nbytes > MOST_BYTES:
        return
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            np.save(file, images, allow_pickle=False)
        os.replace(temporary, path)
        _make_room(path.parent, MOST_BYTES)
    except OSError:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _make_room(folder: Path, most_bytes: int) -> None:
    """Drop the sets that were used longest ago until the rest fits."""
    found = []
    for path in folder.glob("*.npy"):
        with suppress(OSError):  # Another process may have dropped it.
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= most_bytes:
            return
        path.unlink(missing_ok=True)
        total -= size


@cache
def _package_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("imagecorruptions-imaug")
    except PackageNotFoundError:
        return "unknown"
