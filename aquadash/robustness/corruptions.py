"""The fifteen corruptions of Hendrycks and Dietterich (ICLR 2019), applied to test images; sets are cached on disk.

The strengths are those of ImageNet-C, for pictures of 224 pixels: accuracies on 32 pixels compare among our runs only.
"""

import hashlib
import multiprocessing
import os
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
from aquadash.predict import remote
from aquadash.work import processes

#: The severities, from the mildest to the strongest.
SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """A kind of damage to pictures."""

    #: The name in the paper and the package.
    name: str
    title: str
    #: ``noise``, ``blur``, ``weather`` or ``digital``.
    group: str
    #: Its look or cause in a sentence.
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
    """Refuse a corruption or severity that is not in the paper."""
    look_up("corruption", name, CORRUPTIONS)
    if isinstance(severity, bool) or severity not in SEVERITIES:
        raise ConfigError(f"The severity is {severity!r}; expected a whole number from 1 (mild) to 5 (strong).")


def corrupt(
    images: NDArray[np.uint8], name: str, severity: int, *, seed: int, positions: NDArray[np.int64] | None = None
) -> NDArray[np.uint8]:
    """Corrupt images; the random choices follow from the seed, the corruption and the image's position alone."""
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
    """Do the same as the package's ``frost``, which reads and enlarges a photograph of ice for each image."""
    of_image, of_ice = ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75))[severity - 1]
    width, height = image.size
    ice = _ice(np.random.randint(6), height, width)
    top = np.random.randint(0, ice.shape[0] - height)
    left = np.random.randint(0, ice.shape[1] - width)
    return np.clip(of_image * np.array(image) + of_ice * ice[top : top + height, left : left + width], 0, 255)


@lru_cache(maxsize=12)
def _ice(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """Read one of the package's photographs, RGB, a tenth larger than images of that size."""
    import cv2

    name = ("frost1.png", "frost2.png", "frost3.png", "frost4.jpg", "frost5.jpg", "frost6.jpg")[number]
    with as_file(files("imagecorruptions") / "frost" / name) as path:
        photograph = np.asarray(cv2.imread(str(path)))
    factor = 1.1 * max(1, height / photograph.shape[0], width / photograph.shape[1])
    size = [int(np.ceil(side * factor)) for side in photograph.shape[1::-1]]
    return cv2.resize(photograph, dsize=size, interpolation=cv2.INTER_CUBIC)[..., ::-1]


#: A corruption and its severity.
Cell = tuple[str, int]

#: The most bytes of the cached sets; the least recently used are deleted. 75 sets of 500 small images take 115 MB.
MAX_BYTES = 1_000_000_000

#: Images in one task of another process, which stops between tasks.
IMAGES_A_TASK = 25

#: Part of a cached set's name. Raise it when the same arguments give other images.
_REVISION = 1

#: Number of sets that are prefetched.
_PREFETCHED = 2

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
    #: The number of images that they were chosen from.
    available: int
    #: The fingerprint of the data set.
    fingerprint: str
    #: The seed of all random choices, 0 or greater.
    seed: int

    def path(self, cell: Cell) -> Path:
        """Return the file of a cached set, whose name depends on images, corruption, severity and seed."""
        name, severity = cell
        package = _version("imagecorruptions-imaug")
        identity = f"{package} {_REVISION} {self.images.shape} {self.fingerprint} {self.seed} {cell}"
        digest = hashlib.sha256(identity.encode() + self.positions.astype("<i8").tobytes()).hexdigest()
        return settings.home() / "cache" / "corrupted" / f"{name}-{severity}-{digest[:32]}.npy"


def corrupted_sets(
    source: Subjects,
    cells: Sequence[Cell],
    *,
    executor: Executor | None = None,
    on_images: Callable[[Cell, int], None] | None = None,
) -> Iterator[tuple[Cell, NDArray[np.uint8]]]:
    """Yield the corrupted sets in order; ``on_images`` gets the number of images made of a set that is not cached."""
    todo = deque(cells)
    prefetched: deque[tuple[Cell, NDArray[np.uint8] | Iterable[NDArray[np.uint8]]]] = deque()
    while todo or prefetched:
        while todo and len(prefetched) <= _PREFETCHED:
            cell = todo.popleft()
            prefetched.append((cell, _set_or_parts(source, cell, executor)))
        cell, images = prefetched.popleft()
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
    """Return a cached set, mapped from its file; None if it is missing or damaged."""
    path = source.path(cell)
    with suppress(OSError, EOFError, ValueError):
        images: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
        if images.dtype == np.uint8 and images.shape == source.images.shape:
            os.utime(path)  # The most recently used set is deleted last.
            return images
    return None


def sample(source: Subjects, cell: Cell, row: int) -> NDArray[np.uint8]:
    """Return one image of a set, uint8 (height, width, 3), from the cache or made anew in the process that answers."""
    images = kept(source, cell)
    if images is not None:
        return np.array(images[row])
    part = slice(row, row + 1)
    return remote.call(corrupt, source.images[part], *cell, seed=source.seed, positions=source.positions[part])[0]


def open_pool() -> ProcessPoolExecutor:
    """Start processes that corrupt images; one core is left for the network. They end with this process."""
    workers = max(1, min(usable_processors() - 1, 8))
    # Spawned: a fork of a process with threads of TensorFlow or the store may hang.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=processes.end_with_parent)


def _set_or_parts(
    source: Subjects, cell: Cell, executor: Executor | None
) -> NDArray[np.uint8] | Iterable[NDArray[np.uint8]]:
    """Return the cached set, or its parts as the executor makes them, or lazily made here without an executor."""
    images = kept(source, cell)
    if images is not None:
        return images
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
