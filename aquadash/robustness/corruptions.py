"""The fifteen corruptions of Hendrycks and Dietterich, applied to test images; corrupted sets are kept on disk.

A kept set may be lost, damaged or impossible to write at any time; then it is made again, and nothing else happens.

Source: D. Hendrycks and T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations" (ICLR 2019), in the form of the package ``imagecorruptions``; what becomes of small images says
:func:`aquadash.augment.augmenters.corrupted`.

The strengths are those of ImageNet-C, made for pictures of 224 pixels a side: a blur of ten pixels is a far greater
part of a picture of 32 pixels. Accuracies are therefore lower than those published for CIFAR-10-C, whose strengths
are milder, and may be compared among runs of AquaDash only.
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
from functools import cache, lru_cache, partial
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aquadash import settings
from aquadash.data.folder.reading import usable_processors
from aquadash.errors import ConfigError, look_up
from aquadash.files import keep

#: From the mildest to the strongest.
SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """One way in which pictures go bad."""

    #: As in the paper and the package.
    name: str
    title: str
    #: ``noise``, ``blur``, ``weather`` or ``digital``.
    group: str
    #: What it looks like and where it comes from.
    summary: str


#: In the order of the paper.
CORRUPTIONS: dict[str, Corruption] = {
    entry.name: entry
    for entry in (
        Corruption("gaussian_noise", "Gaussian noise", "noise", "Grain, as in photographs taken in the dark."),
        Corruption("shot_noise", "Shot noise", "noise", "Grain that comes from light itself: too few photons."),
        Corruption("impulse_noise", "Impulse noise", "noise", "Single black and white dots, as from faulty pixels."),
        Corruption("defocus_blur", "Defocus blur", "blur", "The picture is out of focus."),
        Corruption("glass_blur", "Frosted glass blur", "blur", "Seen through frosted glass: neighbours change places."),
        Corruption("motion_blur", "Motion blur", "blur", "The camera moved along a line."),
        Corruption("zoom_blur", "Zoom blur", "blur", "The camera moved quickly towards the animal."),
        Corruption("snow", "Snow", "weather", "Snow falls in front of the animal."),
        Corruption("frost", "Frost", "weather", "Ice crystals lie on the lens."),
        Corruption("fog", "Fog", "weather", "Fog lies over the scene."),
        Corruption("brightness", "Brightness", "weather", "Daylight makes everything brighter."),
        Corruption("contrast", "Low contrast", "digital", "Light and dark come closer to each other."),
        Corruption("elastic_transform", "Elastic", "digital", "Small parts are stretched and squeezed."),
        Corruption("pixelate", "Pixelate", "digital", "A small picture was enlarged."),
        Corruption("jpeg_compression", "JPEG", "digital", "The picture was compressed hard."),
    )
}


def check_corruption(name: str, severity: int) -> None:
    """Refuse what is not in the paper."""
    look_up("corruption", name, CORRUPTIONS)
    if isinstance(severity, bool) or severity not in SEVERITIES:
        raise ConfigError(f"The severity is {severity!r}; expected a whole number from 1 (mild) to 5 (strong).")


def corrupt(
    images: NDArray[np.uint8],
    name: str,
    severity: int,
    *,
    seed: int,
    positions: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Corrupt images.

    The random choices for an image follow from the seed, the corruption and the image's position, not from the
    severity or the other images. So a curve over severities follows one raindrop as it grows, any slice of a split
    gives the same bytes as the whole, and processes can share the work.
    """
    check_corruption(name, severity)
    from aquadash.augment.apply import check_images
    from aquadash.augment.augmenters import corrupted

    check_images(images)
    result = np.empty_like(images)
    number = list(CORRUPTIONS).index(name)
    for row, position in enumerate(range(len(images)) if positions is None else positions):
        start = int(np.random.SeedSequence([seed, number, int(position)]).generate_state(1)[0])
        result[row] = corrupted(images[row], name, severity, seed=start, change=_frost if name == "frost" else None)
    return result


def _frost(image: Image.Image, severity: int) -> NDArray[np.float64]:
    """The package's ``frost``, but that it does not read and enlarge a photograph of ice for each image."""
    of_image, of_ice = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))[severity - 1]
    width, height = image.size
    ice = _ice(np.random.randint(6), height, width)
    top = np.random.randint(0, ice.shape[0] - height)
    left = np.random.randint(0, ice.shape[1] - width)
    return np.clip(of_image * np.array(image) + of_ice * ice[top : top + height, left : left + width], 0, 255)


@lru_cache(maxsize=12)
def _ice(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """One of the package's photographs, RGB, a tenth larger than is needed to cover images of that size."""
    import cv2

    name = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg", "frost6.jpg")[number]
    with as_file(files("imagecorruptions") / "frost" / name) as path:
        photograph = np.asarray(cv2.imread(str(path)))
    factor = 1.1 * max(1, height / photograph.shape[0], width / photograph.shape[1])
    size = [int(np.ceil(side * factor)) for side in photograph.shape[1::-1]]
    return cv2.resize(photograph, dsize=size, interpolation=cv2.INTER_CUBIC)[..., ::-1]


#: A corruption and its severity.
Cell = tuple[str, int]

#: Bytes that all kept sets may take together; those that were used longest ago go first. The 75 sets of 500 images of
#: 32 x 32 take 115 MB.
MAX_BYTES = 1_000_000_000

#: Images in one task of another process: small enough to stop within a second, large enough not to be all overhead.
IMAGES_A_TASK = 25

#: Changes whenever the same arguments give other images, so that kept images are not taken for theirs.
_REVISION = 1

#: Sets that are being made while an earlier one is looked at.
_AHEAD = 2

_version = cache(version)


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images to measure with."""

    #: uint8, shape (n, height, width, 3).
    images: NDArray[np.uint8]
    #: int64, shape (n,).
    labels: NDArray[np.int64]
    #: int64, shape (n,), their positions in the split.
    positions: NDArray[np.int64]
    #: How many images they were chosen from.
    available: int
    #: Of the data set.
    fingerprint: str
    #: 0 or greater; all random choices follow from it and the positions.
    seed: int

    def path(self, cell: Cell) -> Path:
        """Where the corrupted set is kept; the name says which images, corruption, severity and seed it is of."""
        name, severity = cell
        package = _version("imagecorruptions-imaug")
        told = f"{package} {_REVISION} {self.images.shape} {self.fingerprint} {self.seed} {cell}"
        digest = hashlib.sha256(told.encode() + self.positions.astype("<i8").tobytes()).hexdigest()
        return settings.home() / "cache" / "corrupted" / f"{name}-{severity}-{digest[:32]}.npy"


def corrupted_sets(
    source: Subjects,
    cells: Sequence[Cell],
    *,
    executor: Executor | None = None,
    on_images: Callable[[Cell, int], None] | None = None,
) -> Iterator[tuple[Cell, NDArray[np.uint8]]]:
    """The corrupted sets one after the other, in the order asked for."""
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
            if images.nbytes <= MAX_BYTES:
                keep(source.path(cell), partial(np.save, arr=images), pattern="*.npy", max_bytes=MAX_BYTES)
        yield cell, images


def kept(source: Subjects, cell: Cell) -> NDArray[np.uint8] | None:
    """The set, which is read from disk where it is looked at; None where there is no sound copy of it."""
    path = source.path(cell)
    with suppress(OSError, EOFError, ValueError):
        images: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
        if images.dtype == np.uint8 and images.shape == source.images.shape:
            os.utime(path)  # Used just now: the last to go.
            return images
    return None


def sample(source: Subjects, cell: Cell, row: int) -> NDArray[np.uint8]:
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
    workers = max(1, min(usable_processors() - 1, 8))
    # Not forked: a copy of a process with threads (of the store, of TensorFlow) may hang.
    return ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_the_parent
    )


def _set_or_parts(
    source: Subjects, cell: Cell, executor: Executor | None
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


def _end_with_the_parent() -> None:
    """Watch the process that started this one: the pool's own queues would keep an orphan waiting for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-the-parent", daemon=True).start()
