"""A guess made before training against the run's results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aquadash.errors import DataError
from aquadash.evaluation.metrics import Evaluation, percent
from aquadash.evaluation.records import Guess

#: A guess this many points off, a tenth of the scale, is still called close.
CLOSE_POINTS = 10.0


@dataclass(frozen=True)
class AccuracyScore:
    """A guessed accuracy against the measured one."""

    #: The guess, 0 to 1.
    guessed: float
    #: The measured accuracy, 0 to 1.
    measured: float
    #: The 95 % interval of the measured accuracy.
    interval: tuple[float, float]
    #: The distance between guess and measurement in percentage points, 0 or more.
    points: float
    #: Whether the guess is within the interval.
    spot_on: bool


@dataclass(frozen=True)
class PairScore:
    """A guessed mistake against the mistakes of the run."""

    #: The guessed (true class, predicted class).
    pair: tuple[str, str]
    #: The number of test images with this mistake.
    count: int
    #: The rank by frequency, from 1; mistakes that are equally frequent share a rank.
    rank: int
    #: The number of images with the most frequent mistake; 0 without mistakes.
    top_count: int
    #: The most frequent mistakes, all that tie; empty without mistakes.
    top: tuple[tuple[str, str], ...]

    @property
    def hit(self) -> bool:
        """Whether it is the most frequent mistake, or one of those that tie."""
        return self.pair in self.top


@dataclass(frozen=True)
class GuessScore:
    """The score of each part of a guess; None for a part without a guess."""

    accuracy: AccuracyScore | None
    pair: PairScore | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        accuracy, pair = self.accuracy, self.pair
        return {
            "accuracy": accuracy
            and {
                "measured": accuracy.measured,
                "accuracy_ci95": list(accuracy.interval),
                "points_off": accuracy.points,
                "spot_on": accuracy.spot_on,
            },
            "confused_pair": pair
            and {
                "hit": pair.hit,
                "count": pair.count,
                "rank": pair.rank,
                "most_confused": [list(names) for names in pair.top],
                "most_confused_count": pair.top_count,
            },
        }


def score_guess(guess: Guess, evaluation: Evaluation) -> GuessScore:
    """Compare a guess with the results; a class that the run does not have raises a ``DataError``."""
    accuracy: AccuracyScore | None = None
    low, high = evaluation.accuracy_ci95
    if guess.accuracy is not None:
        accuracy = AccuracyScore(
            guessed=guess.accuracy,
            measured=evaluation.accuracy,
            interval=(low, high),
            points=100 * abs(guess.accuracy - evaluation.accuracy),
            spot_on=low <= guess.accuracy <= high,
        )
    return GuessScore(accuracy, None if guess.confused_pair is None else _score_pair(guess.confused_pair, evaluation))


def check_pair(pair: Sequence[str], class_names: Sequence[str]) -> None:
    """Refuse a guessed mistake between classes that do not exist."""
    for name in pair:
        if name not in class_names:
            listed = ", ".join(map(str, class_names[:12])) + (", ..." if len(class_names) > 12 else "")
            raise DataError(f"The guess names the class {name[:40]!r}, which is not there. The classes are {listed}.")


def accuracy_words(score: AccuracyScore) -> str:
    """Describe the score of a guessed accuracy, as plain text."""
    measured, interval = percent(score.measured, score.interval)
    distance = f"{score.points:.0f} point{'' if round(score.points) == 1 else 's'}"
    if score.spot_on:
        return (
            f"Spot on: you guessed {percent(score.guessed)}; it got {measured}, and your guess lies in the 95 % "
            f"interval from {interval}."
        )
    side = "too high" if score.guessed > score.measured else "too low"
    opening = "Close: you" if score.points <= CLOSE_POINTS else "You"
    return f"{opening} guessed {percent(score.guessed)}; it got {measured}. Your guess was {distance} {side}."


def pair_words(score: PairScore) -> str:
    """Describe the score of a guessed mistake, as plain text."""
    true, predicted = score.pair
    said = f"{true} taken for {predicted}"
    if not score.top:
        return f"Guessed {said}, but no test image was taken for another class."
    tie = len(score.top) > 1
    if score.hit:
        others = f", together with {len(score.top) - 1} other{'s' if len(score.top) > 2 else ''}" if tie else ""
        return f"Right: {said} is the most frequent mistake{others}, with {_images(score.count)}."
    happened = (
        f"happened to {_images(score.count)} and is number {score.rank} among the mistakes"
        if score.count
        else "did not happen at all"
    )
    most = " and ".join(f"{a} taken for {b}" for a, b in score.top[:3]) + (" and others" if len(score.top) > 3 else "")
    return (
        f"Not this time: {said} {happened}. The most frequent: {most}, with {_images(score.top_count)}"
        f"{' each' if tie else ''}."
    )


def _score_pair(pair: tuple[str, str], evaluation: Evaluation) -> PairScore:
    check_pair(pair, evaluation.classes)
    mistakes = evaluation.confusion_matrix.copy()
    np.fill_diagonal(mistakes, 0)
    row, column = (evaluation.classes.index(name) for name in pair)
    count, top = int(mistakes[row, column]), int(mistakes.max())
    cells = np.argwhere(mistakes == top) if top else ()
    return PairScore(
        pair=pair,
        count=count,
        rank=1 + int((mistakes > count).sum()),
        top_count=top,
        top=tuple((evaluation.classes[a], evaluation.classes[b]) for a, b in cells),
    )


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
