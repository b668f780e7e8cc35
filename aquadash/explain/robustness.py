"""Measures a model's robustness: its accuracy on test images under corruptions and under augmentation pipelines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aquadash import augment
from aquadash.errors import AquaDashError, ConfigError, UnknownNameError
from aquadash.explain.corrupted_sets import Cell, TestImages, corrupted_sets
from aquadash.explain.corruptions import CORRUPTIONS, SEVERITIES, check_corruption
from aquadash.explain.robustness_result import BranchKey, BranchResult, Condition, RobustnessResult
from aquadash.runs.types import Progress

if TYPE_CHECKING:
    from aquadash.data import Dataset

#: Seeds and numbers of images beyond are mistakes.
_MOST_SEED = 2**32 - 1


class ImagePredictor(Protocol):
    """What measuring needs of :class:`aquadash.predict.Predictor`."""

    image_shape: tuple[int, int, int]

    def predict_images(self, images: NDArray[np.uint8], *, batch_size: int = 256) -> NDArray[np.float32]: ...


class Listener(Protocol):
    """Who hears how measuring goes. Every method may raise to end it; what has been told is complete."""

    def on_progress(self, progress: Progress) -> None:
        """``batch`` of ``batches`` images are done; several times a second."""

    def on_result(self, result: RobustnessResult) -> None:
        """A condition more is measured."""


@dataclass(frozen=True)
class RobustnessRequest:
    """What is to be measured.

    Attributes:
        corruptions: Names in :data:`~aquadash.explain.corruptions.CORRUPTIONS`.
        severities: Some of 1 (mild) to 5 (strong).
        pipelines: Names of augmentation pipelines; None for all that there are when it is measured.
        seed: 0 or greater; the random choices of corruptions and pipelines follow from it.
        limit: At most so many test images, taken from all classes alike; None for all.
    """

    corruptions: tuple[str, ...] = tuple(CORRUPTIONS)
    severities: tuple[int, ...] = SEVERITIES
    pipelines: tuple[str, ...] | None = None
    seed: int = 0
    limit: int | None = None

    def checked(self) -> RobustnessRequest:
        """The request itself, in the usual order and without doubles.

        Raises:
            UnknownNameError: A corruption or pipeline is not there.
            ConfigError: A number is out of range or nothing is asked for.
        """
        for name in self.corruptions:
            for severity in self.severities or SEVERITIES:
                check_corruption(name, severity)
        known = known_pipelines() if self.pipelines else {}
        for name in self.pipelines or ():
            if name not in known:
                raise UnknownNameError.of("pipeline", name, known)
        if not 0 <= self.seed <= _MOST_SEED:
            raise ConfigError(f"The seed is {self.seed}; expected a whole number from 0 to {_MOST_SEED}.")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"The limit is {self.limit} images; expected at least 1, or none for all test images.")
        if self.pipelines == () and not (self.corruptions and self.severities):
            raise ConfigError("Nothing is asked for: name a corruption and a severity, or a pipeline.")
        return replace(
            self,
            corruptions=tuple(name for name in CORRUPTIONS if name in self.corruptions),
            severities=tuple(severity for severity in SEVERITIES if severity in self.severities),
            pipelines=None if self.pipelines is None else tuple(dict.fromkeys(self.pipelines)),
        )

    def cells(self) -> list[Cell]:
        """The corruptions and severities in the order in which they are measured.

        All mild ones first: so what is there after a stop is fair to every corruption, and so is the estimate of the
        time left.
        """
        return [(name, severity) for severity in self.severities for name in self.corruptions]

    def branches(self, known: Mapping[str, augment.PipelineSpec] | None = None) -> list[BranchKey]:
        """The branches of the pipelines that change images; an original is the clean image again.

        Args:
            known: The pipelines that there are, by name; those of this moment when None.
        """
        specs = known_pipelines() if known is None else known
        names = list(specs) if self.pipelines is None else self.pipelines
        return [
            BranchKey(name, number, _digest(branch))
            for name in names
            if name in specs
            for number, branch in enumerate(specs[name].branches)
            if not branch.is_original
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RobustnessRequest:
        """Read :meth:`to_dict` back, after JSON, too.

        Raises:
            ConfigError: The values are not of that form.
        """
        try:
            pipelines = values["pipelines"]
            limit = values["limit"]
            return cls(
                corruptions=tuple(map(str, values["corruptions"])),
                severities=tuple(map(int, values["severities"])),
                pipelines=None if pipelines is None else tuple(map(str, pipelines)),
                seed=int(values["seed"]),
                limit=None if limit is None else int(limit),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"What is to be measured cannot be read ({error}). Start the measurement again."
            ) from None


def known_pipelines() -> Mapping[str, augment.PipelineSpec]:
    """The augmentation pipelines to measure with, by name."""
    return augment.library().pipelines


def missing(
    result: RobustnessResult | None,
    request: RobustnessRequest,
    known: Mapping[str, augment.PipelineSpec] | None = None,
) -> tuple[list[Cell], list[BranchKey]]:
    """What a request asks for that a result does not have. The result must be of the request's identity.

    Args:
        result: What there is.
        request: What is asked for.
        known: The pipelines that there are, by name; those of this moment when None.
    """
    cells, branches = request.cells(), request.branches(known)
    if result is None:
        return cells, branches
    return [cell for cell in cells if cell not in result.cells], [key for key in branches if key not in result.branches]


def chosen_positions(labels: NDArray[np.int64], limit: int | None) -> NDArray[np.int64]:
    """The positions of the images to measure with: all, or the first of each class in turn.

    Args:
        labels: int64, shape (n,).
        limit: At most so many; None for all.

    Returns:
        int64, ascending.
    """
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        rank[mine] = np.arange(len(mine))
    order = np.lexsort((labels, rank))
    return np.sort(order[:limit]).astype(np.int64)


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
        self._listener.on_progress(
            Progress(
                phase,
                batch=done,
                batches=total,
                images_per_second=done / elapsed if known else 0.0,
                eta_seconds=elapsed * (total - done) / done if known else None,
            )
        )

    def complete(self, result: RobustnessResult) -> None:
        """A condition is measured."""
        self._done += 1
        if self._listener is not None:
            self._listener.on_result(result)


def _digest(branch: augment.Branch) -> str:
    """What the branch does, whatever it is called and whichever pipeline it belongs to."""
    spec = augment.PipelineSpec("branch", "branch", "", (augment.Branch("branch", branch.operators),))
    return hashlib.sha256(spec.to_json().encode()).hexdigest()[:16]
