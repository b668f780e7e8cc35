"""Measuring a network's accuracy on changed images."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aquadash import augment
from aquadash.augment import Branch
from aquadash.augment.apply import augment_branch, batch_size
from aquadash.augment.spec import as_pipeline
from aquadash.robustness.corruptions import Subjects, corrupted_sets
from aquadash.robustness.measurement import Condition, Measurement, Scores
from aquadash.robustness.requests import Request, SweepRequest
from aquadash.robustness.steps import find_step

if TYPE_CHECKING:
    from aquadash.predict import Predictor
    from aquadash.store import Run, RunStore

#: Called with the phase in words, the images done and all images; an exception that it raises ends the work.
Report = Callable[[str, int, int], None]

#: First number of the seed's path for copies; training has 0 and previews 1.
_COPIES = 2

#: Images and copies on which the change of pixels is measured.
_CHANGE_IMAGES = 10
_CHANGE_COPIES = 5


def missing(measured: Measurement | None, request: Request) -> dict[Condition, Branch | None]:
    """Return the conditions of a request that a measurement lacks."""
    return {
        condition: branch
        for condition, branch in request.conditions().items()
        if measured is None or condition not in measured.scores
    }


def is_measured(measured: Measurement | None, request: Request) -> bool:
    """Return whether a measurement answers a request."""
    return measured is not None and goes_with(measured, request) and not missing(measured, request)


def goes_with(measured: Measurement, request: Request) -> bool:
    """Return whether a request has a measurement's seed and number of images, so that their scores can be joined."""
    total = int(measured.identity["test_images"])
    return (measured.identity["seed"], measured.identity["images"]) == (
        request.seed,
        min(request.limit or total, total),
    )


def load_network(store: RunStore, run: Run) -> Predictor:
    """Load the run's network."""
    from aquadash.predict import Predictor

    return Predictor.load(store.model_path(run.run_id), run.config.model, class_names=run.class_names)


def measure(
    predictor: Predictor,
    subjects: Subjects,
    request: Request,
    *,
    model_sha256: str,
    so_far: Measurement | None = None,
    executor: Executor | None = None,
    report: Report = lambda phase, done, total: None,
    versions: Mapping[str, str] | None = None,
    measured_at: float | None = None,
) -> Iterator[Measurement]:
    """Yield the measurement with the clean images, then after each condition that ``so_far`` lacks.

    ``so_far`` is left out if it is of another network, data set, seed or number of images. ``measured_at`` is the Unix
    time at which the network was loaded, in seconds.
    """
    images, labels, copies = subjects.images, subjects.labels, request.copies
    identity = {
        "model_sha256": model_sha256,
        "dataset_fingerprint": subjects.fingerprint,
        "seed": request.seed,
        "images": len(images),
        "test_images": subjects.available,
    }
    if so_far is not None and dict(so_far.identity) != identity:
        so_far = None
    todo = missing(so_far, request)
    total, done = len(images) * ((so_far is None) + copies * len(todo)), 0
    if so_far is None:
        report("looking at the clean images", done, total)
        now = time.time() if measured_at is None else measured_at
        clean = Scores(_classes(predictor, images) == labels)
        so_far = Measurement(identity, now, clean, versions=dict(versions or {}), harmless=_harmless(request, images))
        done += len(images)
    yield so_far

    cells = {(condition.name, int(condition.level)): condition for condition, branch in todo.items() if branch is None}

    def preparing(cell: tuple[str, int], ready: int) -> None:
        # An image counts once it is corrupted, which takes far longer than its classification.
        report(cells[cell].title, done + ready, total)

    for cell, changed in corrupted_sets(subjects, list(cells), executor=executor, on_images=preparing):
        preparing(cell, len(images))
        so_far = so_far.with_scores(cells[cell], Scores(_classes(predictor, changed) == labels))
        done += len(images)
        yield so_far
    for condition, branch in todo.items():
        if branch is None:
            continue
        report(condition.title, done, total)
        # Two pipelines with the same steps and seed give the same images.
        same = {other.digest: scores for other, scores in so_far.of_kind("pipeline").items()}
        scores = same.get(condition.digest)
        if scores is None and condition.kind == "pipeline":
            alone = augment.AugmentationPlan((as_pipeline(branch),))
            scores = Scores(_classes(predictor, augment.draw(images, alone, seed=request.seed)) == labels)
        elif scores is None:
            answers: list[NDArray[np.int64]] = []
            for changed in changed_copies(images, branch, copies=copies, seed=request.seed):
                answers.append(_classes_of_copies(predictor, changed))
                report(condition.title, done + sum(map(len, answers)), total)
            right = np.concatenate(answers) == np.repeat(labels, copies)
            scores = Scores(right.reshape(-1, copies).sum(axis=1), copies)
        so_far = so_far.with_scores(condition, scores)
        done += copies * len(images)
        yield so_far


def changed_copies(images: NDArray[np.uint8], branch: Branch, *, copies: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """Change copies of images; the same images, number of copies and seed give the same bytes."""
    together = max(1, batch_size(*images.shape[1:3]) // copies)
    for number, start in enumerate(range(0, len(images), together)):
        originals = np.repeat(images[start : start + together], copies, axis=0)
        changed = np.empty_like(originals)
        augment_branch(originals, branch, seed=seed, path=(_COPIES, number), out=changed)
        yield changed


def changed_once(images: NDArray[np.uint8], branch: Branch, *, seed: int) -> NDArray[np.uint8]:
    """Change one copy of each image, as :func:`changed_copies` does."""
    return np.concatenate(list(changed_copies(images, branch, copies=1, seed=seed)))


def _harmless(request: Request, images: NDArray[np.uint8]) -> float | None:
    """Return the parameter's value at which its step alone changes pixels least; None without a parameter."""
    if not isinstance(request, SweepRequest):
        return None
    few, copies = images[:: -(-len(images) // _CHANGE_IMAGES)], min(request.copies, _CHANGE_COPIES)
    originals = np.repeat(few, copies, axis=0).astype(np.int16)
    changes = {}
    for condition, branch in request.conditions().items():
        assert branch is not None
        alone = Branch("", (find_step(branch, request.place).operator,))
        changed = np.concatenate(list(changed_copies(few, alone, copies=copies, seed=request.seed)))
        changes[condition.level] = np.abs(changed - originals).mean()
    return min(changes, key=changes.__getitem__)


def _classes(predictor: Predictor, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    return predictor.predict_images(images).argmax(axis=1)


def _classes_of_copies(predictor: Predictor, copies: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the predicted class of each copy; the network gets equal copies once."""
    first: dict[bytes, int] = {}
    same_as = [first.setdefault(copy.tobytes(), number) for number, copy in enumerate(copies)]
    different, back = np.unique(same_as, return_inverse=True)
    return _classes(predictor, copies[different])[back]
