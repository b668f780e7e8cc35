"""The checks of the sections on results: training, predictions, confusion matrix, curves, result, recommendation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.curves import best_epoch
from aquadash.evaluation.intervals import difference_interval, wilson_interval
from aquadash.evaluation.records import EpochRecord
from aquadash.walkthrough import report
from aquadash.walkthrough.lessons import Verdict, nearly, no_number, read_number, right, wrong

MAX_CANDIDATES = 60

#: The largest width of the interval in the question about the number of test images.
WANTED_WIDTH = 0.06

#: The most test images to choose; 1,070 are enough for every accuracy.
MAX_IMAGES = 1_500

#: The least recall of a class for the question about thresholds.
MIN_RECALL = 0.2


@lru_cache(maxsize=4096)
def flattery(candidates: int, *, accuracy: float, images: int) -> float:
    """Return the mean advantage, 0 to 1, of the best of equally good networks, each measured on its own images."""
    from scipy.stats import binom

    # Scores are binomial; the mean of the highest of k scores is the sum over x of 1 - F(x)^k.
    below = binom.cdf(np.arange(images), images, accuracy)
    return max(0.0, float((1 - below**candidates).sum()) / images - accuracy)


def equal_chance(accuracy: float) -> float:
    """Return the accuracy in whole per cent, limited to 10 to 90 % because chance hardly matters beyond."""
    return min(max(round(accuracy, 2), 0.1), 0.9)


def wanted_flattery(accuracy: float, images: int) -> float:
    """Return one standard error of the score, rounded down to half a point; less if ten networks do not reach it."""
    error = math.sqrt(accuracy * (1 - accuracy) / images)
    return math.floor(200 * min(error, flattery(10, accuracy=accuracy, images=images))) / 200


def fewest_candidates(accuracy: float, images: int) -> int:
    """Return the least number of networks whose best reaches :func:`wanted_flattery`, as rounded on the page."""
    wanted = wanted_flattery(accuracy, images)
    return next(
        (k for k in range(1, MAX_CANDIDATES) if round(flattery(k, accuracy=accuracy, images=images), 3) >= wanted),
        MAX_CANDIDATES,
    )


def candidates(answer: int, *, accuracy: float, images: int) -> Verdict:
    """Judge whether a number of networks is :func:`fewest_candidates`."""
    fewest, wanted = fewest_candidates(accuracy, images), 100 * wanted_flattery(accuracy, images)
    gained = 100 * flattery(answer, accuracy=accuracy, images=images)
    gain = f"The best of {answer} looks {gained:.1f} points better than it is, on average"
    if answer == fewest:
        return right(
            f"Yes. {gain}: about as much as a single score varies by chance. The networks are equally good; choosing "
            "by test images makes the difference. So choose by validation images, and test once."
        )
    if answer > fewest:
        text = f"{gain}: more than {wanted:.1f}. Fewer are enough."
        return nearly(text) if answer <= fewest + 2 else wrong(text)
    return (nearly if answer == fewest - 1 else wrong)(f"{gain}: less than {wanted:.1f}. Try more.")


def sure_mistake_threshold(labels: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Return a confidence, at most 0.9, that some wrong answer reaches; None if all answers are right."""
    true, sure, answers = _read(labels, probabilities)
    mistaken = sure[answers != true]
    if not len(mistaken):
        return None
    # Steps of 5 %, or of 1 % below 20 %, the range of a network with many classes.
    surest = float(mistaken.max())
    steps = 20 if surest >= 0.2 else 100
    return min(0.9, math.floor(steps * surest) / steps)


def sure_mistake(text: str, labels: ArrayLike, probabilities: ArrayLike) -> Verdict:
    """Judge whether a typed number is that of a confident mistake."""
    number = read_number(text)
    true, sure, answers = _read(labels, probabilities)
    if number is None:
        return no_number(text)
    if number != int(number) or not 0 <= number < len(true):
        return wrong(f"There is no image {text.strip()[:12]}; they are numbered from 0 to {len(true) - 1}.")
    position = int(number)
    threshold = sure_mistake_threshold(labels, probabilities)
    if threshold is None:
        return wrong("This run made no mistake. Choose another one.")
    confidence = 100 * float(sure[position])
    if answers[position] == true[position]:
        return wrong(f"The answer to image {position} is right. Switch on “Only wrong answers”.")
    if round(float(sure[position]), 2) >= threshold:
        return right(
            f"Yes: it is {confidence:.0f} % sure about image {position}, and wrong. So a high probability proves "
            "nothing; the report's network was sure, too, that an otter was a beaver."
        )
    return nearly(f"The answer to image {position} is wrong, but only {confidence:.0f} % sure. Find a surer one.")


@dataclass(frozen=True, eq=False)
class Cuts:
    """Precision and recall of one class at the thresholds from 1 % to 99 %: (99,)."""

    #: 1 at a threshold that no image reaches.
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    #: The number of images that reach the threshold.
    called: NDArray[np.int64]


def cuts(labels: ArrayLike, probabilities: ArrayLike, chosen: int) -> Cuts:
    """Compute the :class:`Cuts` of the class with the number ``chosen``."""
    own = np.asarray(labels) == chosen
    reached = np.asarray(probabilities, dtype=np.float64)[:, chosen][None, :] >= np.arange(1, 100)[:, None] / 100
    called, hits = reached.sum(axis=1), (reached & own).sum(axis=1)
    precision = np.divide(hits, called, out=np.ones(99), where=called > 0)
    return Cuts(precision, hits / max(int(own.sum()), 1), called)


def wanted_precision(curve: Cuts) -> float | None:
    """Return the highest precision, in steps of 5 % up to 95 %, at a recall of a fifth; None without such a recall."""
    possible = curve.precision[curve.recall >= MIN_RECALL]
    return min(0.95, math.floor(20 * float(possible.max()) + 1e-9) / 20) if len(possible) else None


def precise_threshold(answer: int, curve: Cuts) -> Verdict:
    """Judge whether a threshold reaches the wanted precision with about the highest recall."""
    wanted = wanted_precision(curve)
    if wanted is None:
        return wrong("This run hardly ever answers with this class. Choose another one.")
    precision, recall = float(curve.precision[answer - 1]), float(curve.recall[answer - 1])
    # In whole per cent, as the page shows it.
    met = np.rint(100 * curve.precision) >= round(100 * wanted)
    best = float(curve.recall[met].max())
    figures = f"Precision {100 * precision:.0f} %, recall {100 * recall:.0f} %."
    if not met[answer - 1]:
        text = f"{figures} The precision is too low; a higher minimum lets fewer wrong answers through."
        return nearly(text) if precision >= wanted - 0.03 else wrong(text)
    if recall < best - 0.02:
        text = f"{figures} That is precise enough, but a recall of {100 * best:.0f} % is possible. Lower the minimum."
        return nearly(text) if recall >= best - 0.15 else wrong(text)
    return right(
        f"{figures} Yes. Precision costs recall: the higher the minimum, the more images of the class are missed. "
        "Accuracy is neither of the two."
    )


def lowest_epoch(answer: int, history: Sequence[EpochRecord]) -> Verdict:
    """Judge whether an epoch has the lowest validation loss, to three digits."""
    best = best_epoch(history)
    if best is None:
        return wrong("This run has no validation loss to read.")
    values = {row.epoch: row.val_loss for row in history}
    if round(values[answer], 3) == round(values[best], 3):
        after = history[-1].epoch - answer
        remark = (
            "It is the last epoch: more training might have helped."
            if not after
            else f"After it {after} more {'epoch' if after == 1 else 'epochs'} did not make it lower, whatever the "
            "training loss did."
        )
        return right(f"Yes: {values[answer]:.3f} in epoch {answer}. {remark}")
    if abs(answer - best) == 1 or values[answer] - values[best] <= 0.01:
        return nearly(f"Close: {values[answer]:.3f}, but the lowest is {values[best]:.3f}.")
    return wrong(f"In epoch {answer} it is {values[answer]:.3f}; the chart has a lower point on the solid line.")


def interval_width(fraction: float, images: int) -> float:
    """Return the width of the 95 % interval of a fraction of so many images."""
    low, high = wilson_interval(round(fraction * images), images)
    return high - low


def fewest_images(fraction: float) -> int:
    """Return the smallest multiple of 10 images whose interval is at most :data:`WANTED_WIDTH` wide."""
    return next(n for n in range(10, MAX_IMAGES, 10) if interval_width(fraction, n) <= WANTED_WIDTH)


def enough_images(answer: int, *, fraction: float) -> Verdict:
    """Judge whether a number of test images is about :func:`fewest_images`."""
    width, fewest = interval_width(fraction, answer), fewest_images(fraction)
    figures = f"With {answer:,} images it is {100 * width:.1f} points wide"
    if abs(answer - fewest) <= max(10, 0.05 * fewest):
        return right(
            f"{figures}. Yes: about {fewest:,}. An interval half as wide takes four times as many images. At the "
            f"report's 67 % it takes about {fewest_images(report.TEST_ACCURACY):,}, so its 100 are far too few."
        )
    text = f"{figures}, {'more' if width > WANTED_WIDTH else 'less'} than {100 * WANTED_WIDTH:.0f}."
    text += " Take more images." if width > WANTED_WIDTH else " Fewer are enough."
    return nearly(text) if abs(answer - fewest) <= 0.25 * fewest else wrong(text)


#: The answers to the last question.
CONCLUSIONS = {
    "better": "This run's",
    "worse": "The report's",
    "unknown": "The figures cannot tell; the difference may be chance",
}


def in_points(interval: tuple[float, float]) -> tuple[float, float]:
    """Return an interval in points, rounded as on the page; no end is -0."""
    low, high = (round(100 * end, 1) + 0.0 for end in interval)
    return low, high


def conclusion(answer: str, run: tuple[int, int], other: tuple[int, int], *, same_task: bool) -> Verdict:
    """Judge a key of :data:`CONCLUSIONS` by the interval of the difference of two accuracies, each (correct, all).

    ``same_task``: both accuracies are of photographs of the same classes.
    """
    if answer not in CONCLUSIONS:
        return wrong("Choose one of the three.")
    low, high = in_points(difference_interval(run, other))
    true = "better" if low > 0 else "worse" if high < 0 else "unknown"
    if answer == true:
        return right(
            f"Yes. The difference is {100 * (run[0] / run[1] - other[0] / other[1]):+.1f} points, and its 95 % "
            f"interval {low:+.1f} to {high:+.1f}"
            + (": 0 lies within." if true == "unknown" else ": 0 lies outside.")
            + (
                " Note that the report measured on 100 images only."
                if same_task
                else " But the scores are of different tasks, so they do not tell which network is better."
            )
        )
    if true == "unknown":
        return wrong("Look at the interval of the difference: does it contain 0?")
    return wrong("Look at the interval of the difference: it does not contain 0. On which side of it does it lie?")


def _read(
    labels: ArrayLike, probabilities: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return true classes, confidences and predicted classes."""
    fractions = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(labels, dtype=np.int64), fractions.max(axis=1), fractions.argmax(axis=1)
