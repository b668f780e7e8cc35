"""Decodes many image files to pictures of one size, on several processors, with little memory."""

import hashlib
import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from aquadash.data.folder.types import Entry, LeftOut, Picture
from aquadash.data.framing import fit
from aquadash.data.images import WORKING_SIDE, decode
from aquadash.data.progress import ProgressCallback
from aquadash.errors import ImageError

#: The sides to which pictures can be scaled, in pixels.
SIZES = (32, 48, 64, 96, 128, 160, 224)

#: The least ratio of the decoded to the final side at which JPEG's fast reduction is invisible.
_MARGIN = 4

#: The most threads; more need memory and are no faster. Decoders release the interpreter's lock.
_MAX_THREADS = 8
#: The size in bytes above which files are decoded one at a time, since 65 megapixels take 200 MB.
_LARGE_BYTES = 4_000_000
#: Seconds between two reports.
_REPORT_EVERY = 0.2


def read_all(
    entries: Sequence[Entry], *, size: int, out: Path, progress: ProgressCallback
) -> tuple[tuple[Picture, ...], tuple[LeftOut, ...]]:
    """Decode files and write their middle squares, scaled to ``size``, one after the other to ``out``."""
    pictures: list[Picture] = []
    refused: list[LeftOut] = []
    count = min(usable_processors(), _MAX_THREADS)
    large = Lock()
    reported = 0.0
    with out.open("xb") as file, ThreadPoolExecutor(count, thread_name_prefix="import") as pool:
        todo = iter(entries)
        waiting: deque[tuple[Entry, Future[tuple[Picture, NDArray[np.uint8]]]]] = deque()

        def more(number: int) -> None:
            waiting.extend((entry, pool.submit(_one, entry, size, large)) for entry in islice(todo, number))

        try:
            more(4 * count)
            while waiting:
                entry, future = waiting.popleft()
                try:
                    picture, image = future.result()
                except ImageError as error:
                    refused.append(LeftOut(entry.name, str(error), entry.label))
                else:
                    file.write(image.data)
                    pictures.append(picture)
                more(1)
                if (now := time.monotonic()) - reported >= _REPORT_EVERY:
                    done = len(pictures) + len(refused)
                    progress(f"Reading picture {done:,} of {len(entries):,}", done / len(entries))
                    reported = now
        finally:
            # Drop the pictures that are not begun, so that a cancelled import ends at once.
            for _, future in waiting:
                future.cancel()
    return tuple(pictures), tuple(refused)


def usable_processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stored_images(path: Path, *, count: int, size: int) -> NDArray[np.uint8]:
    """Map the pictures that :func:`read_all` wrote: uint8 (count, size, size, 3)."""
    shape = (count, size, size, 3)
    return np.memmap(path, np.uint8, "r", shape=shape).view(np.ndarray) if count else np.empty(shape, np.uint8)


def _one(entry: Entry, size: int, large: Lock) -> tuple[Picture, NDArray[np.uint8]]:
    try:
        data = entry.read()
    except Exception as error:
        # A damaged archive raises BadZipFile, zlib.error, LZMAError, EOFError and others.
        why = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "it is damaged or too large"
        raise ImageError(
            f"{entry.name} cannot be read from its archive or folder: {why}. Add the picture again."
        ) from error
    with large if len(data) > _LARGE_BYTES else nullcontext():
        return _decoded(entry, data, size)


def _decoded(entry: Entry, data: bytes, size: int) -> tuple[Picture, NDArray[np.uint8]]:
    working_side = min(WORKING_SIDE, _MARGIN * size)
    decoded = decode(data, name=entry.name, working_side=working_side)
    image = fit(decoded.rgb, size=(size, size))
    # Channel by channel in whole numbers: 15 times as fast as a reduction of the last axis in floats.
    red, green, blue = image[..., 0], image[..., 1], image[..., 2]
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    brightness = np.add(red, green, dtype=np.uint16) + blue
    width, height = decoded.original_size
    picture = Picture(
        label=entry.label,
        part=entry.part,
        name=entry.name,
        sha256=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        kind=decoded.kind,
        colour=round(float(spread.mean()), 3),
        contrast=round(float(brightness.std()) / 3, 3),
        notes=decoded.notes,
    )
    return picture, image
