"""The embedded data set: five aquatic mammals drawn by this program, so that everything works with no download.

It has the sizes of the aquatic mammals in CIFAR-100 (500 training and 100 test images a class, 32x32x3) and the same
labels. The drawings follow from a seed: on one machine every run and every process gives the same bytes. Pillow's
rasteriser and NumPy's random generator and functions decide the last bit, so another version of either, or another
kind of processor, may give other bytes; the data set's fingerprint tells.
"""

from __future__ import annotations

import hashlib

import numpy as np
import PIL
from numpy.typing import NDArray

from aquadash.data import disk_cache
from aquadash.data.dataset import Dataset, Split
from aquadash.data.drawing import CLASS_NAMES, SIZE, draw
from aquadash.data.progress import ProgressCallback, silent

#: Decides every drawing of the embedded data set.
SEED = 2026

TRAIN_PER_CLASS = 500
TEST_PER_CLASS = 100

#: Part of the cache's name: raise it with every change to the drawings, so that nobody keeps cached ones of before.
_FORMAT = 1

#: Images drawn between two reports of progress.
_REPORT_EVERY = 50


def load(*, progress: ProgressCallback | None = None) -> Dataset:
    """The embedded data set, from the cache in ``AQUADASH_HOME`` or drawn anew (some seconds) and cached.

    A cache that is damaged or cannot be written is passed over.

    Args:
        progress: Called with a text and the share done, 0 to 1, while drawing.
    """
    key = repr((_FORMAT, SEED, TRAIN_PER_CLASS, TEST_PER_CLASS, PIL.__version__, np.__version__))
    name = f"synthetic-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    cached = disk_cache.read(name)
    if cached is not None:
        train, test, _ = cached
        if _is_whole(train, TRAIN_PER_CLASS) and _is_whole(test, TEST_PER_CLASS):
            return _dataset(train, test)
    dataset = make(progress=progress)
    disk_cache.write(name, dataset.train, dataset.test, dataset.origin)
    return dataset


def make(
    *,
    seed: int = SEED,
    train_per_class: int = TRAIN_PER_CLASS,
    test_per_class: int = TEST_PER_CLASS,
    progress: ProgressCallback | None = None,
) -> Dataset:
    """Draw a data set.

    Each drawing has a random generator of its own, made from the seed, the split, the class and its number: a larger
    data set holds the drawings of a smaller one, and training and test drawings are independent.

    Args:
        seed: Not negative. Equal seeds give equal data sets.
        train_per_class: Training images of each class, at least 1.
        test_per_class: Test images of each class, at least 1.
        progress: Called with a text and the share done, 0 to 1.

    Raises:
        ValueError: A number is too small.
    """
    if seed < 0 or train_per_class < 1 or test_per_class < 1:
        raise ValueError(
            f"seed={seed}, train_per_class={train_per_class}, test_per_class={test_per_class}; "
            "expected a seed of 0 or more and at least 1 image a class"
        )
    report = progress or silent
    total = (train_per_class + test_per_class) * len(CLASS_NAMES)
    splits: list[Split] = []
    done = 0
    for part, per_class in enumerate((train_per_class, test_per_class)):
        # A random order, as in CIFAR-100: a large enough stretch of a split holds all classes in about equal shares.
        order = np.random.default_rng([seed, part]).permutation(per_class * len(CLASS_NAMES))
        labels, numbers = np.divmod(order, per_class)
        images = np.empty((len(order), SIZE, SIZE, 3), dtype=np.uint8)
        for position, (label, number) in enumerate(zip(labels.tolist(), numbers.tolist(), strict=True)):
            if done % _REPORT_EVERY == 0:
                report(f"Drawing image {done + 1} of {total}", done / total)
            images[position] = draw(label, rng=np.random.default_rng([seed, part, label, number]))
            done += 1
        splits.append(Split(images, labels.astype(np.int64), _file_names(labels)))
    report(f"Drew {total} images", 1.0)
    return _dataset(splits[0], splits[1])


def _file_names(labels: NDArray[np.int64]) -> tuple[str, ...]:
    """Names of the images after their class, counted in the order in which they come."""
    counts = [0] * len(CLASS_NAMES)
    names = []
    for label in labels.tolist():
        counts[label] += 1
        names.append(f"{CLASS_NAMES[label]}-{counts[label]:04d}.png")
    return tuple(names)


def _is_whole(split: Split, per_class: int) -> bool:
    """Whether a split from the cache has the right size and the right number of each class."""
    shape = (per_class * len(CLASS_NAMES), SIZE, SIZE, 3)
    expected = np.repeat(np.arange(len(CLASS_NAMES)), per_class)
    return split.images.shape == shape and np.array_equal(np.sort(split.labels), expected)


def _dataset(train: Split, test: Split) -> Dataset:
    return Dataset(
        name="synthetic",
        title="Drawn aquatic mammals",
        origin=(
            "Every image is a drawing made by this program: curves for the animal, a painted background, varied light, "
            "blur and noise. There is not one photograph among them."
        ),
        drawn=True,
        class_names=CLASS_NAMES,
        train=train,
        test=test,
    )
