"""Measures a model's robustness: its accuracy on test images under corruptions and under augmentation pipelines."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from aquadash import augment
from aquadash.augment.spec import as_pipeline
from aquadash.errors import AquaDashError, ConfigError, look_up
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, Cell, TestImages, check_corruption, corrupted_sets
from aquadash.robustness.result import BranchKey, BranchResult, Condition, RobustnessResult

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.predict import Predictor
    from aquadash.runs import Run, RunStore


@dataclass(frozen=True)
class RobustnessRequest:
    """What is to be measured.

    Attributes:
        corruptions: Names in :data:`~aquadash.robustness.corruptions.CORRUPTIONS`.
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
        known = augment.library().pipelines if self.pipelines else {}
        for name in self.pipelines or ():
            look_up("pipeline", name, known)
        check_seed(self.seed)
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
        specs = augment.library().pipelines if known is None else known
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
            return _REQUEST.validate_python(values)
        except ValidationError:
            raise ConfigError("What is to be measured cannot be read. Start the measurement again.") from None


_REQUEST = TypeAdapter(RobustnessRequest)


def check_seed(seed: int) -> None:
    """Refuse a number that is no seed.

    Raises:
        ConfigError: It is negative or takes more than 32 bits.
    """
    if not 0 <= seed < 2**32:
        raise ConfigError(f"The seed is {seed}; expected a whole number from 0 to {2**32 - 1}.")


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
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        rank[mine] = np.arange(len(mine))
    return np.sort(np.lexsort((labels, rank))[:limit]).astype(np.int64)


def _digest(branch: augment.Branch) -> str:
    """What the branch does, whatever it is called and whichever pipeline it belongs to."""
    spec = as_pipeline(augment.Branch("branch", branch.operators))
    return hashlib.sha256(spec.to_json().encode()).hexdigest()[:16]


#: Hears what is being done, and how many images are done of how many; what it raises ends the work.
Report = Callable[[str, int, int], None]


def load_network(store: RunStore, run: Run) -> Predictor:
    """The run's network, ready to look at images.

    Raises:
        RunError: The run has no model.
        StorageError: The model cannot be loaded.
    """
    from aquadash.predict import Predictor

    return Predictor.load(store.model_path(run.run_id), run.config.model, class_names=run.class_names)


def silent(phase: str, done: int, total: int) -> None:
    """Tells nobody."""


def check_shape(predictor: Predictor, images: NDArray[np.uint8]) -> None:
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
    predictor: Predictor,
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
        executor: Corrupts in other processes; see :func:`~aquadash.robustness.corruptions.open_pool`.
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
    specs = augment.library().pipelines
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
        alone = augment.AugmentationPlan((as_pipeline(branch),))
        # The same operators and seed give the same images, whichever pipeline they belong to.
        same = next((entry.condition for other, entry in result.branches.items() if other.digest == key.digest), None)
        condition = same or answered(augment.draw(images, alone, seed=request.seed))
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
