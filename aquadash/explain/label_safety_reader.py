"""Copies of images, and how a model reads them: the work behind a label-safety measurement."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import Branch
from aquadash.augment.apply import augment_branch
from aquadash.explain.label_safety_request import ImagePredictor, SafetyRequest, Subjects
from aquadash.explain.label_safety_result import Misread, Seen
from aquadash.jobs import Progress

#: Hears of the progress; what it raises ends the measurement.
Tell = Callable[[Progress], None]

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


class Reader:
    """Makes the copies of one branch after another and asks the model about them."""

    def __init__(self, predictor: ImagePredictor, subjects: Subjects, request: SafetyRequest, pace: Pace) -> None:
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
        key = drawn(branch)
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


class Pace:
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
        eta = elapsed * (total - self._done) / self._done if known else None
        self._tell(Progress(self._phase, self._done, total, eta))


def drawn(branch: Branch) -> tuple[object, ...]:
    """What decides a branch's copies: the steps that are switched on, with their positions."""
    return tuple((number, operator) for number, operator in enumerate(branch.operators) if operator.enabled)
