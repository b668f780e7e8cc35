"""How far an augmentation can go before a trained model no longer sees the animal.

Each image gets a number of augmented copies. The model's accuracy on them is measured after each step and for each step
alone, and for one parameter fixed to a row of values. All conditions draw the same random numbers, so that what differs
between them is the step and not luck.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import Branch
from aquadash.augment.apply import augment_branch
from aquadash.errors import AquaDashError, ConfigError
from aquadash.explain.label_safety_result import Misread, SafetyResult, Seen, StepSafety, Sweep
from aquadash.explain.label_safety_steps import (
    StepPath,
    alone,
    find_step,
    first_steps,
    grid,
    only,
    steps,
    text_of,
    with_parameter,
    without,
)
from aquadash.runs.types import Progress

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.runs.types import Predictions, Run

#: Hears of the progress; what it raises ends the measurement.
Tell = Callable[[Progress], None]

MOST_COPIES = 500
MOST_IMAGES = 200
MOST_VALUES = 51

#: First part of the path along which the seed is split; training has 0 and previews 1.
_SAFETY = 2
#: Copies are made in parts of at most so many, and so many pixels, to bound memory and to tell of the progress.
_COPIES_A_PART = 500
_PIXELS_A_PART = 2_000_000
#: How far a value moves pixels is seen on few copies of few images.
_CHANGE_IMAGES = 10
_CHANGE_COPIES = 5
#: Pictures of misread copies that are kept of each condition.
_MISREAD_KEPT = 16


class ImagePredictor(Protocol):
    """What measuring needs of :class:`aquadash.predict.Predictor`."""

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]

    def predict_images(self, images: NDArray[np.uint8], *, batch_size: int = 256) -> NDArray[np.float32]: ...


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images to measure with.

    Attributes:
        images: uint8, shape (n, height, width, 3).
        labels: int64, shape (n,).
        positions: In their split; empty for images of no split.
        split: ``"validation"``, ``"train"`` or empty.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    positions: tuple[int, ...] = ()
    split: str = ""


@dataclass(frozen=True)
class SweepRequest:
    """Which parameter is to be fixed to a row of values.

    Attributes:
        path: The step.
        parameter: Its parameter's name, or ``"probability"``.
        low: The least value.
        high: The greatest value.
        values: How many values; of whole numbers there may be fewer.
    """

    path: StepPath
    parameter: str
    low: float
    high: float
    values: int = 11


@dataclass(frozen=True)
class SafetyRequest:
    """What is to be measured.

    Attributes:
        branch: The way to change images.
        copies: Augmented copies of each image.
        seed: 0 or greater; all random choices follow from it.
        threshold: Too much is lost below this share, of the accuracy on the unchanged images or of all copies.
        absolute: True if the threshold is a share of all copies.
        sweep: A parameter to be tried out; None for none.
        by_step: Whether each step is looked at. Without it only the whole and the sweep are measured.
    """

    branch: Branch
    copies: int = 50
    seed: int = 0
    threshold: float = 0.8
    absolute: bool = False
    sweep: SweepRequest | None = None
    by_step: bool = True

    def check(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            ConfigError: A number is out of range.
            UnknownNameError: The sweep's step or parameter is not there.
        """
        if not 1 <= self.copies <= MOST_COPIES:
            raise ConfigError(f"{self.copies} copies of each image are asked for; expected 1 to {MOST_COPIES}.")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"The seed is {self.seed}; expected a whole number from 0 to {2**32 - 1}.")
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(
                f"The threshold is {self.threshold:g}; expected a share above 0 and up to 1, such as 0.8."
            )
        if self.sweep is not None:
            if not 2 <= self.sweep.values <= MOST_VALUES:
                raise ConfigError(f"{self.sweep.values} values are asked for; expected 2 to {MOST_VALUES}.")
            parameter = find_step(self.branch, self.sweep.path).parameter(self.sweep.parameter)
            grid(parameter, low=self.sweep.low, high=self.sweep.high, count=self.sweep.values)


def validation_images(
    run: Run, predictions: Predictions | None, dataset: Dataset, *, per_class: int, seed: int = 0
) -> Subjects:
    """Some of a run's validation images: it did not learn from them, and they are not those of the last measurement.

    Args:
        run: The run.
        predictions: What it keeps of its validation images; only the positions and labels are used.
        dataset: What it learned from.
        per_class: At most so many of each class.
        seed: Decides which.

    Raises:
        AquaDashError: The run kept none, or learned from other data.
    """
    if dataset.fingerprint != run.dataset_fingerprint:
        raise AquaDashError(
            f"{run.name} learned from other images than those of {dataset.title} as it is now, so its validation "
            "images cannot be found there. Choose a run on this data set."
        )
    if predictions is None or not len(predictions.indices):
        raise AquaDashError(
            f"{run.name} kept no validation images, as runs of older versions did not. Choose another run, or measure "
            "with the images in view."
        )
    if not 1 <= per_class <= MOST_IMAGES:
        raise ConfigError(f"{per_class} images a class are asked for; expected 1 to {MOST_IMAGES}.")
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in np.unique(predictions.labels):
        mine = np.flatnonzero(predictions.labels == label)
        chosen += sorted(random.permutation(mine)[:per_class].tolist())
    # With very many classes each gets its turn until there are enough.
    chosen = chosen[:: -(-len(chosen) // MOST_IMAGES)]
    positions, labels = predictions.indices[chosen], predictions.labels[chosen]
    # The report's own way takes its validation images from the test split; its last measurement has others.
    split = dataset.test if run.config.training.validation == "test" else dataset.train
    return Subjects(split.images[positions], labels.astype(np.int64), tuple(positions.tolist()), "validation")


def measure(
    predictor: ImagePredictor, subjects: Subjects, request: SafetyRequest, *, tell: Tell | None = None
) -> SafetyResult:
    """Measure what a request asks for.

    Args:
        predictor: The model.
        subjects: The images to copy.
        request: What to measure.
        tell: Hears after each part how many copies are done, and how long the rest takes; what it raises ends the work.

    Raises:
        AquaDashError: The request is not possible or the model does not fit the images.
    """
    request.check()
    _check_subjects(predictor, subjects)
    branch = request.branch
    top = steps(branch, nested=False) if request.by_step else ()
    sweep = request.sweep
    values: tuple[float, ...] = ()
    if sweep is not None:
        step = find_step(branch, sweep.path)
        parameter = step.parameter(sweep.parameter)
        values = grid(parameter, low=sweep.low, high=sweep.high, count=sweep.values)
    # Every branch is measured once, however often it is asked for: a first step alone is the first step, too.
    cuts = [first_steps(branch, _position(step.path) + 1) for step in top]
    singles = [alone(branch, _position(step.path)) for step in top]
    pace = _Pace(tell, len(subjects.images) * request.copies)
    reader = _Reader(predictor, subjects, request, pace)
    switched_off = [] if sweep is None else [without(branch, sweep.path)]
    swept = [] if sweep is None else [with_parameter(branch, sweep.path, sweep.parameter, value) for value in values]
    pace.conditions = len({_drawn(one) for one in [branch, *cuts, *singles, *switched_off, *swept]})

    pace.doing("the unchanged images")
    clean = reader.clean()
    whole, misread = reader.read(branch, "the whole pipeline")
    found = tuple(
        StepSafety(
            one.path,
            one.title,
            so_far=reader.read(cut, f"up to step {number}")[0],
            alone=reader.read(single, f"step {number} alone")[0],
        )
        for number, (one, cut, single) in enumerate(zip(top, cuts, singles, strict=True), start=1)
    )
    if sweep is None:
        return _result(predictor, subjects, request, clean, whole, found, misread)
    off, _ = reader.read(switched_off[0], "with the step switched off")
    points = [
        reader.read(one, f"{sweep.parameter} {text_of(parameter, value)}")
        for value, one in zip(values, swept, strict=True)
    ]
    curve = Sweep(
        path=sweep.path,
        title=step.title,
        parameter=sweep.parameter,
        values=values,
        points=tuple(seen for seen, _ in points),
        changes=tuple(reader.change(only(one, sweep.path)) for one in swept),
        off=off,
        clean=clean,
        threshold=request.threshold if request.absolute else request.threshold * clean.accuracy,
        relative=None if request.absolute else request.threshold,
    )
    return _result(
        predictor, subjects, request, clean, whole, found, misread, curve, tuple(copies for _, copies in points)
    )


def _result(
    predictor: ImagePredictor,
    subjects: Subjects,
    request: SafetyRequest,
    clean: Seen,
    whole: Seen,
    found: tuple[StepSafety, ...],
    misread: tuple[Misread, ...],
    sweep: Sweep | None = None,
    sweep_misread: tuple[tuple[Misread, ...], ...] = (),
) -> SafetyResult:
    return SafetyResult(
        class_names=tuple(predictor.class_names),
        labels=tuple(subjects.labels.tolist()),
        positions=subjects.positions,
        split=subjects.split,
        copies=request.copies,
        seed=request.seed,
        clean=clean,
        whole=whole,
        steps=found,
        sweep=sweep,
        misread=misread,
        sweep_misread=sweep_misread,
    )


class _Reader:
    """Makes the copies of one branch after another and asks the model about them."""

    def __init__(self, predictor: ImagePredictor, subjects: Subjects, request: SafetyRequest, pace: _Pace) -> None:
        self._predictor = predictor
        self._subjects = subjects
        self._copies = request.copies
        self._seed = request.seed
        self._pace = pace
        self._known: dict[tuple[object, ...], tuple[Seen, tuple[Misread, ...]]] = {}

    def clean(self) -> Seen:
        """How the unchanged images are read."""
        return self._seen(self._predictor.predict_images(self._subjects.images), copies=1, change=0.0)

    def read(self, branch: Branch, doing: str) -> tuple[Seen, tuple[Misread, ...]]:
        """How the copies of a branch are read, and some that are misread."""
        key = _drawn(branch)
        if key not in self._known:
            self._pace.doing(doing)
            self._known[key] = self._read(branch)
        return self._known[key]

    def change(self, branch: Branch) -> float:
        """How far a branch moves pixels on average, 0 to 255, over some copies of some images."""
        images = self._subjects.images[:: -(-len(self._subjects.images) // _CHANGE_IMAGES)]
        originals = np.repeat(images, min(self._copies, _CHANGE_COPIES), axis=0)
        changed = np.empty_like(originals)
        augment_branch(originals, branch, seed=self._seed, path=(_SAFETY, 0), out=changed)
        return float(np.abs(changed.astype(np.int16) - originals).mean())

    def _read(self, branch: Branch) -> tuple[Seen, tuple[Misread, ...]]:
        images, copies = self._subjects.images, self._copies
        height, width = images.shape[1:3]
        together = max(1, min(_COPIES_A_PART, _PIXELS_A_PART // (height * width)) // copies)
        said: list[NDArray[np.float32]] = []
        misread: list[list[Misread]] = []
        moved = 0.0
        for number, start in enumerate(range(0, len(images), together)):
            part = slice(start, start + together)
            originals = np.repeat(images[part], copies, axis=0)
            changed = np.empty_like(originals)
            augment_branch(originals, branch, seed=self._seed, path=(_SAFETY, number), out=changed)
            answers = self._answers(changed)
            moved += float(np.abs(changed.astype(np.int16) - originals).sum(dtype=np.int64))
            said.append(answers)
            misread += self._misread(changed, answers, start)
            self._pace.add(len(changed))
        seen = self._seen(np.concatenate(said), copies=copies, change=moved / (images.size * copies))
        # A copy of each image before a second of any.
        turns = (each[turn] for turn in range(_MISREAD_KEPT) for each in misread if turn < len(each))
        return seen, tuple(one for one, _ in zip(turns, range(_MISREAD_KEPT), strict=False))

    def _answers(self, changed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network says; equal copies, as of steps that draw nothing, are looked at once."""
        first: dict[bytes, int] = {}
        same_as = [first.setdefault(copy.tobytes(), number) for number, copy in enumerate(changed)]
        different, back = np.unique(same_as, return_inverse=True)
        return self._predictor.predict_images(changed[different])[back]

    def _misread(self, changed: NDArray[np.uint8], answers: NDArray[np.float32], first: int) -> list[list[Misread]]:
        """The first misread copies of each image of a part."""
        predicted = answers.argmax(axis=1)
        found = []
        for row in range(0, len(changed), self._copies):
            subject = first + row // self._copies
            wrong = np.flatnonzero(predicted[row : row + self._copies] != self._subjects.labels[subject])
            found.append(
                [
                    Misread(changed[at].copy(), subject, int(predicted[at]), float(answers[at].max()))
                    for at in (row + wrong[:_MISREAD_KEPT]).tolist()
                ]
            )
        return found

    def _seen(self, answers: NDArray[np.float32], *, copies: int, change: float) -> Seen:
        predicted = answers.argmax(axis=1)
        right = (predicted == np.repeat(self._subjects.labels, copies)).reshape(-1, copies).sum(axis=1)
        read_as = np.bincount(predicted, minlength=len(self._predictor.class_names))
        return Seen(tuple(right.tolist()), copies, change, tuple(read_as.tolist()))


class _Pace:
    """Counts copies and estimates the time left."""

    def __init__(self, tell: Tell | None, copies: int) -> None:
        self._tell = tell
        self._copies = copies
        self._phase = ""
        self._done = 0
        self._started = time.monotonic()
        self.conditions = 1

    def doing(self, phase: str) -> None:
        """Say what comes now."""
        self._phase = phase
        self._report()

    def add(self, copies: int) -> None:
        """So many copies more are read."""
        self._done += copies
        self._report()

    def _report(self) -> None:
        if self._tell is None:
            return
        total = self.conditions * self._copies
        elapsed = time.monotonic() - self._started
        # The first condition loads libraries; it says little of the others.
        known = self._done >= self._copies and elapsed > 0
        self._tell(
            Progress(
                self._phase,
                batch=self._done,
                batches=total,
                images_per_second=self._done / elapsed if known else 0.0,
                eta_seconds=elapsed * (total - self._done) / self._done if known else None,
            )
        )


def _drawn(branch: Branch) -> tuple[object, ...]:
    """What decides a branch's copies: the steps that are switched on, with their positions."""
    return tuple((number, operator) for number, operator in enumerate(branch.operators) if operator.enabled)


def _position(path: StepPath) -> int:
    position = path[0]
    assert isinstance(position, int)
    return position


def _check_subjects(predictor: ImagePredictor, subjects: Subjects) -> None:
    count = len(subjects.images)
    if not 1 <= count <= MOST_IMAGES or count != len(subjects.labels):
        raise AquaDashError(
            f"{count} images with {len(subjects.labels)} labels are to be measured with; expected 1 to {MOST_IMAGES}, "
            "a label for each."
        )
    if tuple(subjects.images.shape[1:]) != tuple(predictor.image_shape):
        raise AquaDashError(
            f"The network looks at images of {predictor.image_shape}; these are {tuple(subjects.images.shape[1:])}. "
            "They do not belong together."
        )
    if not 0 <= int(subjects.labels.min()) <= int(subjects.labels.max()) < len(predictor.class_names):
        raise AquaDashError("The images have classes that the network does not know. They do not belong together.")
