"""The table of metrics: numbers over all images that the page, the command and the report of a run show."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aquadash.evaluation.balance import balanced_accuracy, cohens_kappa
from aquadash.evaluation.intervals import Interval, wilson_interval
from aquadash.evaluation.metrics import Evaluation, ScoreText, checked, percent
from aquadash.evaluation.records import Predictions


@dataclass(frozen=True)
class Score:
    """A metric's value."""

    value: float
    #: Its 95 % interval, (low, high); None for a metric without one.
    interval: Interval | None = None


@dataclass(frozen=True)
class Metric:
    """A way to measure predictions by one number."""

    #: Its key in JSON; ``NAME_ci95`` holds the interval, if it has one.
    name: str
    title: str
    #: Measures predictions, given their scores by class and confusion matrix, too.
    compute: Callable[[Evaluation, Predictions], Score]
    _: KW_ONLY
    #: Its help, one line; empty where ``term`` explains it.
    help: str = ""
    #: The line of the glossary that explains it; empty for none.
    term: str = ""
    #: Whether it is shown as per cent.
    fraction: bool = False
    #: Digits after the point, unless it is a fraction.
    digits: int = 3
    #: The fewest classes for which it is shown.
    min_classes: int = 2
    #: Its caption in the HTML report, which leaves out a metric without one.
    report: str = ""
    #: Whether Evaluate shows it with the scores of each class, not in its first row.
    with_classes: bool = False
    #: Whether a run stores it, as the figure ``test_NAME``, which is a column of Compare.
    stored: bool = False

    @property
    def figure(self) -> str:
        """The name under which a run stores it."""
        return f"test_{self.name}"

    def text(self, value: float) -> str:
        """Format a value for people: ``"61.4 %"``, ``"0.953"``."""
        return f"{100 * value:.1f} %" if self.fraction else f"{value:.{self.digits}f}"

    def score_text(self, score: Score) -> ScoreText:
        """Format value and interval, whose width decides the digits of a fraction."""
        if self.fraction:
            return percent(score.value, score.interval)
        value, *ends = map(self.text, (score.value, *(score.interval or ())))
        return ScoreText(value, " to ".join(ends))


def top_two_accuracy(labels: ArrayLike, probabilities: ArrayLike) -> Score:
    """Return the fraction of images whose true class is one of the two most probable."""
    y_true, y_prob = checked(labels, probabilities)
    # Stable: of classes that tie, the first comes first, as in the predicted class.
    first_two = np.argsort(-y_prob, axis=1, kind="stable")[:, :2]
    hits, n = int((first_two == y_true[:, np.newaxis]).sum()), len(y_true)
    return Score(hits / n, wilson_interval(hits, n))


#: The metrics by name, in the order in which they are shown. Adding one is a function that measures and a record here.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "accuracy",
            "Test accuracy",
            lambda evaluation, _: Score(evaluation.accuracy, evaluation.accuracy_ci95),
            term="accuracy",
            fraction=True,
            stored=True,
        ),
        Metric(
            "top2_accuracy",
            "Top-2 accuracy",
            lambda _, predictions: top_two_accuracy(predictions.labels, predictions.probabilities),
            term="top-2 accuracy",
            fraction=True,
            min_classes=3,
        ),
        Metric("loss", "Loss", lambda evaluation, _: Score(evaluation.loss), term="loss", digits=2, stored=True),
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            lambda evaluation, _: Score(*balanced_accuracy(evaluation.confusion_matrix)),
            term="balanced accuracy",
            fraction=True,
            with_classes=True,
            stored=True,
        ),
        Metric(
            "kappa",
            "Cohen's kappa",
            lambda evaluation, _: Score(*cohens_kappa(evaluation.confusion_matrix)),
            term="Cohen's kappa",
            digits=2,
            with_classes=True,
            stored=True,
        ),
    )
}


def scores(evaluation: Evaluation, predictions: Predictions) -> dict[str, Score]:
    """Compute every metric that is shown for so many classes, by name."""
    useful = {name: metric for name, metric in METRICS.items() if len(evaluation.classes) >= metric.min_classes}
    return {name: metric.compute(evaluation, predictions) for name, metric in useful.items()}


def stored_scores(evaluation: Evaluation, predictions: Predictions) -> dict[str, float]:
    """Return the figures that a run stores, by their names, such as ``test_accuracy``."""
    measured = scores(evaluation, predictions)
    return {METRICS[name].figure: score.value for name, score in measured.items() if METRICS[name].stored}


def scores_to_dict(measured: Mapping[str, Score]) -> dict[str, Any]:
    """Plain values for JSON; None for a metric that needs more classes."""
    of_more = [name for name, metric in METRICS.items() if metric.min_classes > 2]
    values: dict[str, Any] = {name + ending: None for name in of_more for ending in ("", "_ci95")}
    for name, score in measured.items():
        values[name] = score.value
        if score.interval is not None:
            values[f"{name}_ci95"] = list(score.interval)
    return values
