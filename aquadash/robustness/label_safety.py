"""How far an augmentation can go before a trained model no longer sees the animal.

Each image gets a number of augmented copies. The model's accuracy on them is measured after each step and for each step
alone, and for one parameter fixed to a row of values. All conditions draw the same random numbers, so that what differs
between them is the step and not luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator

from aquadash.augment import Branch
from aquadash.augment.apply import augment_branch, batch_size
from aquadash.augment.reading import from_json
from aquadash.augment.spec import as_pipeline
from aquadash.errors import AquaDashError, ConfigError
from aquadash.robustness.label_safety_result import Labels, Misread, Pixels, SafetyResult, Seen, StepSafety, Sweep
from aquadash.robustness.measure import Report, check_seed, check_shape, silent
from aquadash.robustness.steps import (
    StepPath,
    find_step,
    first_steps,
    grid,
    only,
    steps,
    text_of,
    with_parameter,
    without,
)

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.predict import Predictor
    from aquadash.runs.types import Predictions, Run

MAX_IMAGES = 200


@dataclass(frozen=True, eq=False)
class Subjects:
    """The images to measure with.

    Attributes:
        images: uint8, shape (n, height, width, 3).
        labels: int64, shape (n,).
        positions: In their split; empty for images of no split.
        split: ``"validation"``, ``"train"`` or empty.
    """

    images: Pixels
    labels: Labels
    positions: tuple[int, ...] = ()
    split: str = ""


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
        AquaDashError: The run kept none, has not ended, or learned from other data.
    """
    if not run.status.ended:
        raise AquaDashError(f"{run.name} has not ended yet. Choose another run; on Augment, preview images will do.")
    if dataset.fingerprint != run.dataset_fingerprint:
        raise AquaDashError(
            f"{run.name} learned from other images than those of {dataset.title} as it is now, so its validation "
            "images cannot be found there. Choose a run on this data set."
        )
    # The report's own way takes its validation images from the test split; its last measurement has others.
    split = dataset.test if run.config.training.validation == "test" else dataset.train
    if predictions is None or not len(predictions.indices):
        raise AquaDashError(
            f"{run.name} kept no validation images, as runs of older versions did not. Choose another run; on Augment, "
            "preview images will do."
        )
    if predictions.indices.max() >= len(split):
        raise AquaDashError(f"{run.name} names validation images that {dataset.title} does not have. Train it again.")
    if not 1 <= per_class <= MAX_IMAGES:
        raise ConfigError(f"{per_class} images a class are asked for; expected 1 to {MAX_IMAGES}.")
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    for label in np.unique(predictions.labels):
        mine = np.flatnonzero(predictions.labels == label)
        chosen += sorted(random.permutation(mine)[:per_class].tolist())
    # With very many classes each gets its turn until there are enough.
    chosen = chosen[:: -(-len(chosen) // MAX_IMAGES)]
    positions, labels = predictions.indices[chosen], predictions.labels[chosen]
    return Subjects(split.images[positions], labels.astype(np.int64), tuple(positions.tolist()), "validation")


MAX_COPIES = 500
MAX_VALUES = 51

#: First part of the path along which the seed is split; training has 0 and previews 1.
_SAFETY = 2
#: How far a value moves pixels is seen on few copies of few images.
_CHANGE_IMAGES = 10
_CHANGE_COPIES = 5
#: Pictures of misread copies that are kept of each condition.
_MISREAD_KEPT = 16

_JsonBranch = Annotated[
    Branch,
    PlainValidator(lambda text: from_json(text).branches[0]),
    PlainSerializer(lambda branch: as_pipeline(branch).to_json()),
]

#: How the copies of a branch are read, and some that are misread.
_Read: TypeAlias = tuple[Seen, tuple[Misread, ...]]


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
    """

    branch: _JsonBranch
    copies: int = 50
    seed: int = 0
    threshold: float = 0.8
    absolute: bool = False
    sweep: SweepRequest | None = None

    def check(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            ConfigError: A number is out of range.
            UnknownNameError: The sweep's step or parameter is not there.
        """
        if not 1 <= self.copies <= MAX_COPIES:
            raise ConfigError(f"{self.copies} copies of each image are asked for; expected 1 to {MAX_COPIES}.")
        check_seed(self.seed)
        if not 0.0 < self.threshold <= 1.0:
            raise ConfigError(
                f"The threshold is {self.threshold:g}; expected a fraction above 0 and up to 1, such as 0.8."
            )
        if self.sweep is not None and not 2 <= self.sweep.values <= MAX_VALUES:
            raise ConfigError(f"{self.sweep.values} values are asked for; expected 2 to {MAX_VALUES}.")
        self.values()

    def values(self) -> tuple[float, ...]:
        """What the sweep's parameter is fixed to, ascending; empty without a sweep. Raises as :meth:`check` does."""
        sweep = self.sweep
        if sweep is None:
            return ()
        parameter = find_step(self.branch, sweep.path).parameter(sweep.parameter)
        return grid(parameter, low=sweep.low, high=sweep.high, count=sweep.values)


def measure(
    predictor: Predictor, subjects: Subjects, request: SafetyRequest, *, report: Report = silent
) -> SafetyResult:
    """Measure what a request asks for.

    Args:
        predictor: The model.
        subjects: The images to copy.
        request: What to measure.
        report: Hears after each part how many copies are done of how many; what it raises ends the work.

    Raises:
        AquaDashError: The request is not possible or the model does not fit the images.
    """
    request.check()
    _check_subjects(predictor, subjects)
    branch, sweep, values = request.branch, request.sweep, request.values()
    top = steps(branch, nested=False)
    asked = [("the whole pipeline", branch)]
    for number, one in enumerate(top, start=1):
        asked.append((f"up to step {number}", first_steps(branch, one.path)))
        asked.append((f"step {number} alone", only(branch, one.path)))
    if sweep is not None:
        step = find_step(branch, sweep.path)
        parameter = step.parameter(sweep.parameter)
        fixed = [with_parameter(branch, sweep.path, parameter.name, value) for value in values]
        asked.append(("with the step switched off", without(branch, sweep.path)))
        names = [f"{parameter.name} {text_of(parameter, value)}" for value in values]
        asked += zip(names, fixed, strict=True)
    reader = _Reader(predictor, subjects, request)
    report("the unchanged images", 0, 0)
    clean = reader.clean()
    (whole, misread), *rest = reader.read_all(asked, report)
    of_steps, of_sweep = rest[: 2 * len(top)], rest[2 * len(top) :]
    curve = None
    if sweep is not None:
        (off, _), *of_values = of_sweep
        curve = Sweep(
            path=sweep.path,
            title=step.title,
            parameter=sweep.parameter,
            values=values,
            points=tuple(seen for seen, _ in of_values),
            changes=tuple(reader.change(only(one, sweep.path)) for one in fixed),
            off=off,
            clean=clean,
            threshold=request.threshold if request.absolute else request.threshold * clean.accuracy,
            relative=None if request.absolute else request.threshold,
        )
    return SafetyResult(
        class_names=tuple(predictor.class_names),
        labels=tuple(subjects.labels.tolist()),
        positions=subjects.positions,
        split=subjects.split,
        copies=request.copies,
        seed=request.seed,
        clean=clean,
        whole=whole,
        steps=tuple(
            StepSafety(one.path, one.title, so_far, alone)
            for one, (so_far, _), (alone, _) in zip(top, of_steps[::2], of_steps[1::2], strict=True)
        ),
        sweep=curve,
        misread=misread,
        sweep_misread=tuple(copies for _, copies in of_sweep[1:]),
    )


def _check_subjects(predictor: Predictor, subjects: Subjects) -> None:
    count = len(subjects.images)
    if not 1 <= count <= MAX_IMAGES or count != len(subjects.labels):
        raise AquaDashError(
            f"{count} images with {len(subjects.labels)} labels are to be measured with; expected 1 to {MAX_IMAGES}, "
            "a label for each."
        )
    check_shape(predictor, subjects.images)
    if not 0 <= int(subjects.labels.min()) <= int(subjects.labels.max()) < len(predictor.class_names):
        raise AquaDashError("The images have classes that the network does not know. They do not belong together.")


class _Reader:
    """Makes copies of the images and asks the model about them."""

    def __init__(self, predictor: Predictor, subjects: Subjects, request: SafetyRequest) -> None:
        self._predictor = predictor
        self._subjects = subjects
        self._copies = request.copies
        self._seed = request.seed

    def clean(self) -> Seen:
        """How the unchanged images are read."""
        return self._seen(self._predictor.predict_images(self._subjects.images), copies=1, change=0.0)

    def read_all(self, asked: list[tuple[str, Branch]], report: Report) -> list[_Read]:
        """How the copies of each branch are read; branches come with what is said meanwhile.

        Each is read once, however often it is asked for: a first step alone is the first step, too.
        """
        known: dict[tuple[object, ...], _Read] = {}
        keys = [_drawn(branch) for _, branch in asked]
        each = len(self._subjects.images) * self._copies
        for key, (phase, branch) in zip(keys, asked, strict=True):
            if key not in known:
                known[key] = self._read(branch, phase, len(known) * each, len(set(keys)) * each, report)
        return [known[key] for key in keys]

    def change(self, branch: Branch) -> float:
        """How far a branch moves pixels on average, 0 to 255, over some copies of some images."""
        images = self._subjects.images[:: -(-len(self._subjects.images) // _CHANGE_IMAGES)]
        originals, changed = self._changed(images, branch, copies=min(self._copies, _CHANGE_COPIES), part=0)
        return float(np.abs(changed.astype(np.int16) - originals).mean())

    def _read(self, branch: Branch, phase: str, done: int, total: int, report: Report) -> _Read:
        report(phase, done, total)
        images, labels, copies = self._subjects.images, self._subjects.labels, self._copies
        # Parts of at most as many copies as are augmented in a batch bound the memory and tell of the progress.
        together = max(1, batch_size(*images.shape[1:3]) // copies)
        said: list[NDArray[np.float32]] = []
        misread: list[list[Misread]] = []
        moved = 0.0
        for number, start in enumerate(range(0, len(images), together)):
            originals, changed = self._changed(images[start : start + together], branch, copies=copies, part=number)
            answers = self._answers(changed)
            moved += float(np.abs(changed.astype(np.int16) - originals).sum(dtype=np.int64))
            said.append(answers)
            for subject in range(start, start + len(changed) // copies):
                rows = (subject - start) * copies + np.arange(copies)
                wrong = rows[answers[rows].argmax(axis=1) != labels[subject]][:_MISREAD_KEPT]
                misread.append(
                    [
                        Misread(changed[row].copy(), subject, int(answers[row].argmax()), float(answers[row].max()))
                        for row in wrong
                    ]
                )
            report(phase, done + sum(map(len, said)), total)
        seen = self._seen(np.concatenate(said), copies=copies, change=moved / (images.size * copies))
        # A copy of each image before a second of any.
        turns = (one for turn in zip_longest(*misread) for one in turn if one is not None)
        return seen, tuple(islice(turns, _MISREAD_KEPT))

    def _changed(
        self, images: NDArray[np.uint8], branch: Branch, *, copies: int, part: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Each image so many times, and the same as the branch changes them."""
        originals = np.repeat(images, copies, axis=0)
        changed = np.empty_like(originals)
        augment_branch(originals, branch, seed=self._seed, path=(_SAFETY, part), out=changed)
        return originals, changed

    def _answers(self, changed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the network says; equal copies, as of steps that draw nothing, are looked at once."""
        first: dict[bytes, int] = {}
        same_as = [first.setdefault(copy.tobytes(), number) for number, copy in enumerate(changed)]
        different, back = np.unique(same_as, return_inverse=True)
        return self._predictor.predict_images(changed[different])[back]

    def _seen(self, answers: NDArray[np.float32], *, copies: int, change: float) -> Seen:
        predicted = answers.argmax(axis=1)
        right = (predicted == np.repeat(self._subjects.labels, copies)).reshape(-1, copies).sum(axis=1)
        read_as = np.bincount(predicted, minlength=len(self._predictor.class_names))
        return Seen(tuple(right.tolist()), copies, change, tuple(read_as.tolist()))


def _drawn(branch: Branch) -> tuple[object, ...]:
    """What decides a branch's copies: the steps that are switched on, with their positions."""
    return tuple((number, operator) for number, operator in enumerate(branch.operators) if operator.enabled)
