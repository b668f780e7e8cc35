"""Guesses of a run's results before training, and of a test image's class beside the network's answer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aquadash.errors import DataError, look_up
from aquadash.evaluation.metrics import Evaluation, percent, predicted_labels
from aquadash.evaluation.records import Guess, Predictions

#: A guess this many points off, a tenth of the scale, is still called close.
CLOSE_POINTS = 10.0


@dataclass(frozen=True)
class PartScore:
    """The score of one part of a guess."""

    #: True for an accuracy within the 95 % interval, and for one of the most frequent mistakes.
    is_right: bool
    #: The score in a sentence or two, as plain text.
    words: str
    #: The figures as plain values for JSON.
    figures: dict[str, Any]


@dataclass(frozen=True)
class GuessScore:
    """The score of each part of a guess; None for a part without a guess."""

    accuracy: PartScore | None
    pair: PartScore | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"accuracy": self.accuracy and self.accuracy.figures, "confused_pair": self.pair and self.pair.figures}


def score_guess(guess: Guess, evaluation: Evaluation) -> GuessScore:
    """Compare a guess with the results; a class that the run does not have raises a ``DataError``."""
    return GuessScore(
        None if guess.accuracy is None else _score_accuracy(guess.accuracy, evaluation),
        None if guess.confused_pair is None else _score_pair(guess.confused_pair, evaluation),
    )


def check_pair(pair: Sequence[str], class_names: Sequence[str]) -> None:
    """Refuse a guessed mistake between classes that do not exist."""
    for name in pair:
        if name not in class_names:
            listed = ", ".join(map(str, class_names[:12])) + (", ..." if len(class_names) > 12 else "")
            raise DataError(f"The guess names the class {name[:40]!r}, which is not there. The classes are {listed}.")


def _score_accuracy(guessed: float, evaluation: Evaluation) -> PartScore:
    low, high = evaluation.accuracy_ci95
    spot_on = low <= guessed <= high
    points = 100 * abs(guessed - evaluation.accuracy)
    measured, interval = percent(evaluation.accuracy, (low, high))
    said = f"you guessed {percent(guessed)}; it got {measured}"
    if spot_on:
        words = f"Spot on: {said}, and your guess lies in the 95 % interval from {interval}."
    else:
        distance = f"{points:.0f} point{'' if round(points) == 1 else 's'}"
        side = "high" if guessed > evaluation.accuracy else "low"
        opening = f"Close: {said}" if points <= CLOSE_POINTS else said.capitalize()
        words = f"{opening}. Your guess was {distance} too {side}."
    figures = {"measured": evaluation.accuracy, "accuracy_ci95": [low, high], "points_off": points, "spot_on": spot_on}
    return PartScore(spot_on, words, figures)


def _score_pair(pair: tuple[str, str], evaluation: Evaluation) -> PartScore:
    check_pair(pair, evaluation.classes)
    mistakes = evaluation.confusion_matrix.copy()
    np.fill_diagonal(mistakes, 0)
    row, column = (evaluation.classes.index(name) for name in pair)
    count, top_count = int(mistakes[row, column]), int(mistakes.max())
    rank = 1 + int((mistakes > count).sum())
    cells = np.argwhere(mistakes == top_count) if top_count else ()
    top = [(evaluation.classes[a], evaluation.classes[b]) for a, b in cells]
    figures = {
        "hit": pair in top,
        "count": count,
        "rank": rank,
        "most_confused": [list(names) for names in top],
        "most_confused_count": top_count,
    }
    return PartScore(pair in top, _pair_words(pair, count, rank, top, top_count), figures)


def _pair_words(pair: tuple[str, str], count: int, rank: int, top: Sequence[tuple[str, str]], top_count: int) -> str:
    said = f"{pair[0]} taken for {pair[1]}"
    if not top:
        return f"Guessed {said}, but no test image was taken for another class."
    if pair in top:
        return f"Right: {said} is the most frequent mistake, with {_images(count)}."
    happened = (
        f"happened to {_images(count)} and is number {rank} among the mistakes" if count else "did not happen at all"
    )
    most = " and ".join(f"{a} taken for {b}" for a, b in top[:3])
    return f"Not this time: {said} {happened}. The most frequent: {most}, with {_images(top_count)}."


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class QuizAnswer:
    """A person's and a network's answer to one image, each a class name."""

    #: The index of the image in the test split.
    image: int
    true: str
    guess: str
    network: str
    #: The network's probability of its answer, 0 to 1.
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"guess_right": self.guess == self.true, "network_right": self.network == self.true}


def quiz_answer(predictions: Predictions, image: int, guess: str, *, class_names: Sequence[str]) -> QuizAnswer:
    """Return the answers to a test image; an unknown image or class raises :class:`UnknownNameError`."""
    positions = {str(index): position for position, index in enumerate(predictions.indices.tolist())}
    position = look_up("test image", str(image), positions)
    look_up("class", guess, {name: name for name in class_names})
    y_prob = predictions.probabilities[position]
    network = int(predicted_labels(y_prob[None])[0])
    true = class_names[int(predictions.labels[position])]
    return QuizAnswer(image, true, guess, class_names[network], float(y_prob[network]))
