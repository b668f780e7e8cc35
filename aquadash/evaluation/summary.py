"""Everything that follows from a run's predictions, in one record: what ``evaluate`` prints beside the plain scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.evaluation import intervals, threshold_curves
from aquadash.evaluation.calibration import Calibration, Temperature, fit_temperature, reliability, scale
from aquadash.evaluation.compare import PredictionsLike
from aquadash.evaluation.coverage import coverage_curve
from aquadash.evaluation.label_errors import suspects
from aquadash.evaluation.metric_table import Score, scores, scores_to_dict
from aquadash.evaluation.metrics import Evaluation


@dataclass(frozen=True, eq=False)
class Rescaling:
    """A temperature fitted on validation images and what it does to others.

    Attributes:
        temperature: The fit.
        before: The calibration of the images that it was not fitted on.
        after: And of the same images with it.
        judged: bool (n,), which of the test images these are.
    """

    temperature: Temperature
    before: Calibration
    after: Calibration
    judged: NDArray[np.bool_]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "temperature": self.temperature.value,
            "at_limit": self.temperature.at_limit,
            "fitted_on": self.temperature.n,
            "validation_loss_before": self.temperature.loss_before,
            "validation_loss_after": self.temperature.loss_after,
            "test_images": self.before.n,
            "ece_before": self.before.ece,
            "ece_after": self.after.ece,
            "loss_before": self.before.loss,
            "loss_after": self.after.loss,
            "brier_before": self.before.brier,
            "brier_after": self.after.brier,
        }


@dataclass(frozen=True, eq=False)
class Summary:
    """The figures of one run.

    Attributes:
        intervals: 95 % intervals of the scores of each class.
        scores: Each metric of :data:`aquadash.evaluation.metric_table.METRICS`, by name.
        curves: Of each class against the rest.
        calibration: Of all test images as the network answered them.
        rescaling: With the temperature of the validation images; None for a run that kept no validation predictions.
        area: Under the curve of wrong answers against coverage.
        doubtful_labels: Positions of the test images whose label the answers speak against.
    """

    intervals: tuple[intervals.ClassIntervals, ...]
    scores: Mapping[str, Score]
    curves: tuple[threshold_curves.ClassCurves, ...]
    calibration: Calibration
    rescaling: Rescaling | None
    area: float
    doubtful_labels: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``temperature`` is None where there is nothing to fit it on."""
        return {
            "class_ci95": intervals.to_dict(self.intervals),
            **scores_to_dict(self.scores),
            **threshold_curves.to_dict(self.curves),
            "ece": self.calibration.ece,
            "mce": self.calibration.mce,
            "brier": self.calibration.brier,
            "reliability": self.calibration.to_dict()["bins"],
            "temperature": None if self.rescaling is None else self.rescaling.temperature.value,
            "temperature_scaling": None if self.rescaling is None else self.rescaling.to_dict(),
            "risk_coverage_area": self.area,
            "doubtful_labels": self.doubtful_labels.tolist(),
        }


def rescale(predictions: PredictionsLike, validation: PredictionsLike, *, validated_on_test: bool = False) -> Rescaling:
    """Fit a temperature on the validation images and measure what it does to the test images.

    Args:
        predictions: Of the test images.
        validation: Of the validation images.
        validated_on_test: True if these are test images, as in the report's way; they are then left out of the measure
            unless there are no others.

    Raises:
        DataError: The arrays do not belong together.
    """
    fitted = fit_temperature(validation.labels, validation.probabilities)
    judged: NDArray[np.bool_] = np.ones(len(predictions.labels), dtype=bool)
    if validated_on_test:
        unseen = ~np.isin(predictions.indices, validation.indices)
        judged = unseen if unseen.any() else judged
    labels, shares = predictions.labels[judged], predictions.probabilities[judged]
    return Rescaling(
        temperature=fitted,
        before=reliability(labels, shares),
        after=reliability(labels, scale(shares, fitted.value)),
        judged=judged,
    )


def summarize(
    found: Evaluation,
    predictions: PredictionsLike,
    validation: PredictionsLike | None,
    *,
    validated_on_test: bool = False,
) -> Summary:
    """Work all figures out.

    Args:
        found: Of the same predictions.
        predictions: Of the test images.
        validation: Of the validation images; None where the run kept none.
        validated_on_test: See :func:`rescale`.

    Raises:
        DataError: The arrays do not belong together.
    """
    names: Sequence[str] = found.classes
    labels, shares = predictions.labels, predictions.probabilities
    return Summary(
        intervals=intervals.class_intervals(found.confusion_matrix, class_names=names),
        scores=scores(found, predictions),
        curves=threshold_curves.ranking_curves(labels, shares, class_names=names),
        calibration=reliability(labels, shares),
        rescaling=None if validation is None else rescale(predictions, validation, validated_on_test=validated_on_test),
        area=coverage_curve(labels, shares).area,
        doubtful_labels=predictions.indices[suspects(labels, shares)],
    )
