"""Measures a model's robustness: its accuracy on test images under corruptions and under augmentation pipelines."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from aquadash import augment
from aquadash.errors import AquaDashError
from aquadash.explain.corrupted_sets import Cell, TestImages, corrupted_sets
from aquadash.explain.corruptions import CORRUPTIONS
from aquadash.explain.robustness_request import RobustnessRequest, chosen_positions, known_pipelines, missing
from aquadash.explain.robustness_result import BranchKey, BranchResult, Condition, RobustnessResult
from aquadash.jobs import Progress

if TYPE_CHECKING:
    from aquadash.data import Dataset


class ImagePredictor(Protocol):
    """What measuring needs of :class:`aquadash.predict.Predictor`."""

    image_shape: tuple[int, int, int]

    def predict_images(self, images: NDArray[np.uint8], *, batch_size: int = 256) -> NDArray[np.float32]: ...


class Listener(Protocol):
    """Who hears how measuring goes. Every method may raise to end it; what has been told is complete."""

    def on_progress(self, progress: Progress) -> None:
        """``done`` of ``total`` images are done; several times a second."""

    def on_result(self, result: RobustnessResult) -> None:
        """A condition more is measured."""


def measure(
    predictor: ImagePredictor,
    dataset: Dataset,
    request: RobustnessRequest,
    *,
    model_sha256: str,
    so_far: RobustnessResult | None = None,
    executor: Executor | None = None,
    listener: Listener | None = None,
    versions: Mapping[str, str] | None = None,
    measured_at: float | None = None,
) -> RobustnessResult:
    """Measure what a request asks for and ``so_far`` does not have yet.

    Args:
        predictor: The model.
        dataset: Whose test images are changed.
        request: What to measure.
        model_sha256: Says which model it is.
        so_far: Earlier figures, to go on from; left out where they are of another model, data set, seed or number of
            images.
        executor: Corrupts in other processes; see :func:`~aquadash.explain.corrupted_sets.open_pool`.
        listener: Hears of progress and results.
        versions: Of the libraries, to be kept with the figures.
        measured_at: When the model was loaded, in seconds since 1970 UTC; now if not given.

    Returns:
        The figures, earlier ones of the same identity included.

    Raises:
        AquaDashError: The request is not possible or the model does not fit the images.
    """
    request = request.checked()
    test = dataset.test
    if tuple(test.images.shape[1:]) != tuple(predictor.image_shape):
        raise AquaDashError(
            f"The network looks at images of {predictor.image_shape}; the test images are {test.images.shape[1:]}. "
            "They do not belong together."
        )
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
    pace = _Pace(listener, len(images), conditions=(so_far is None) + len(cells) + len(branches))
    if so_far is None:
        pace.begin("looking at the clean images")
        now = time.time() if measured_at is None else measured_at
        result = RobustnessResult(identity, now, answered(images), versions=dict(versions or {}))
        pace.complete(result)
    else:
        result = so_far
    source = TestImages(images, positions, dataset.fingerprint, request.seed)

    def preparing(cell: Cell, ready: int) -> None:
        # Looking is quick beside corrupting, which makes the image count.
        pace.begin(f"{CORRUPTIONS[cell[0]].title}, severity {cell[1]}", ready)

    for (name, severity), changed in corrupted_sets(source, cells, executor=executor, on_images=preparing):
        pace.begin(f"{CORRUPTIONS[name].title}, severity {severity}", len(images))
        result = replace(result, cells={**result.cells, (name, severity): answered(changed)})
        pace.complete(result)
    for key in branches:
        spec, branch = specs[key.pipeline], specs[key.pipeline].branches[key.branch]
        pace.begin(f"pipeline {spec.title}: {branch.title}")
        # The same operators and seed give the same images, whichever pipeline they belong to.
        same = next((entry.condition for other, entry in result.branches.items() if other.digest == key.digest), None)
        condition = same or answered(augment.apply(images, branch, seed=request.seed))
        entry = BranchResult(spec.title, branch.title, condition)
        result = replace(result, branches={**_without_older(result.branches, key), key: entry})
        pace.complete(result)
    return result


def _without_older(branches: Mapping[BranchKey, BranchResult], key: BranchKey) -> dict[BranchKey, BranchResult]:
    """The results without that of the same branch before somebody edited it."""
    return {
        other: entry
        for other, entry in branches.items()
        if (other.pipeline, other.branch) != (key.pipeline, key.branch)
    }


class _Pace:
    """Counts images and estimates the time left."""

    def __init__(self, listener: Listener | None, images: int, *, conditions: int) -> None:
        self._listener = listener
        self._images = images
        self._conditions = conditions
        self._done = 0
        self._started = time.monotonic()

    def begin(self, phase: str, ready: int = 0) -> None:
        """Tell what is being done, and how many images of the condition are ready."""
        if self._listener is None:
            return
        done, total = self._done * self._images + ready, self._conditions * self._images
        elapsed = time.monotonic() - self._started
        # The first condition waits for other processes to start; nothing is known of the pace before it ends.
        known = self._done > 1 and elapsed > 0
        self._listener.on_progress(Progress(phase, done, total, elapsed * (total - done) / done if known else None))

    def complete(self, result: RobustnessResult) -> None:
        """A condition is measured."""
        self._done += 1
        if self._listener is not None:
            self._listener.on_result(result)
