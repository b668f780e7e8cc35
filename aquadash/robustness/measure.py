"""Measures a model's robustness: its accuracy on test images under corruptions and under augmentation pipelines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from aquadash import augment
from aquadash.errors import AquaDashError
from aquadash.robustness.corrupted_sets import Cell, TestImages, corrupted_sets
from aquadash.robustness.corruptions import CORRUPTIONS
from aquadash.robustness.request import RobustnessRequest, chosen_positions, known_pipelines, missing
from aquadash.robustness.result import BranchKey, BranchResult, Condition, RobustnessResult

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.runs import Run, RunStore

#: Hears what is being done, and how many images are done of how many; what it raises ends the work.
Report = Callable[[str, int, int], None]


class ImagePredictor(Protocol):
    """What measuring needs of :class:`aquadash.predict.Predictor`."""

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    def predict_images(self, images: NDArray[np.uint8], *, batch_size: int = 256) -> NDArray[np.float32]: ...


def load_network(store: RunStore, run: Run) -> ImagePredictor:
    """The run's network, ready to look at images.

    Raises:
        RunError: The run has no model.
        StorageError: The model cannot be loaded.
    """
    from aquadash.predict import Predictor

    return Predictor.load(store.model_path(run.run_id), class_names=run.class_names)


def silent(phase: str, done: int, total: int) -> None:
    """Tells nobody."""


def check_shape(predictor: ImagePredictor, images: NDArray[np.uint8]) -> None:
    """Refuse images that the network cannot look at.

    Raises:
        AquaDashError: They are of another size.
    """
    if tuple(images.shape[1:]) != tuple(predictor.image_shape):
        raise AquaDashError(
            f"The network looks at images of {predictor.image_shape}; these are {tuple(images.shape[1:])}. They do not "
            "belong together."
        )


def measure(
    predictor: ImagePredictor,
    dataset: Dataset,
    request: RobustnessRequest,
    *,
    model_sha256: str,
    so_far: RobustnessResult | None = None,
    executor: Executor | None = None,
    report: Report = silent,
    versions: Mapping[str, str] | None = None,
    measured_at: float | None = None,
) -> Iterator[RobustnessResult]:
    """Measure what a request asks for and ``so_far`` does not have yet.

    Args:
        predictor: The model.
        dataset: Whose test images are changed.
        request: What to measure.
        model_sha256: Says which model it is.
        so_far: Earlier figures, to go on from; left out where they are of another model, data set, seed or number of
            images.
        executor: Corrupts in other processes; see :func:`~aquadash.robustness.corrupted_sets.open_pool`.
        report: Hears how far it is, several times a second.
        versions: Of the libraries, to be kept with the figures.
        measured_at: When the model was loaded, in seconds since 1970 UTC; now if not given.

    Yields:
        The figures so far, earlier ones of the same identity included: at first those of the clean images, then again
        with each condition.

    Raises:
        AquaDashError: The request is not possible or the model does not fit the images.
    """
    request = request.checked()
    test = dataset.test
    check_shape(predictor, test.images)
    positions = chosen_positions(test.labels, request.limit)
    if not len(positions):
        raise AquaDashError("There are no test images to measure with.")
    images, labels = test.images[positions], test.labels[positions]

    def answered(changed: NDArray[np.uint8]) -> Condition:
        return Condition(predictor.predict_images(changed).argmax(axis=1) == labels)

    identity = {
        "model_sha256": model_sha256,
        "dataset_fingerprint": dataset.fingerprint,
        "seed": request.seed,
        "images": len(positions),
        "test_images": len(test),
    }
    if so_far is not None and dict(so_far.identity) != identity:
        so_far = None
    # Of one moment: somebody may edit or delete a pipeline while images are corrupted.
    specs = known_pipelines()
    cells, branches = missing(so_far, request, specs)
    total, done = len(images) * ((so_far is None) + len(cells) + len(branches)), 0
    if so_far is None:
        report("looking at the clean images", done, total)
        now = time.time() if measured_at is None else measured_at
        result = RobustnessResult(identity, now, answered(images), versions=dict(versions or {}))
        done += len(images)
    else:
        result = so_far
    yield result

    def preparing(cell: Cell, ready: int) -> None:
        # Looking is quick beside corrupting, which makes the image count.
        report(f"{CORRUPTIONS[cell[0]].title}, severity {cell[1]}", done + ready, total)

    source = TestImages(images, positions, dataset.fingerprint, request.seed)
    for cell, changed in corrupted_sets(source, cells, executor=executor, on_images=preparing):
        preparing(cell, len(images))
        result = replace(result, cells={**result.cells, cell: answered(changed)})
        done += len(images)
        yield result
    for key in branches:
        spec, branch = specs[key.pipeline], specs[key.pipeline].branches[key.branch]
        report(f"pipeline {spec.title}: {branch.title}", done, total)
        # The same operators and seed give the same images, whichever pipeline they belong to.
        same = next((entry.condition for other, entry in result.branches.items() if other.digest == key.digest), None)
        condition = same or answered(augment.apply(images, branch, seed=request.seed))
        entry = BranchResult(spec.title, branch.title, condition)
        result = replace(result, branches={**_without_older(result.branches, key), key: entry})
        done += len(images)
        yield result


def _without_older(branches: Mapping[BranchKey, BranchResult], key: BranchKey) -> dict[BranchKey, BranchResult]:
    """The results without that of the same branch before somebody edited it."""
    return {
        other: entry
        for other, entry in branches.items()
        if (other.pipeline, other.branch) != (key.pipeline, key.branch)
    }
