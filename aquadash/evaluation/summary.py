"""All figures of a run's predictions in one record, which ``evaluate`` prints beside the plain scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquadash.evaluation import ranking
from aquadash.evaluation.browse import doubtful_labels
from aquadash.evaluation.calibration import Calibration, Rescaling, reliability, rescale
from aquadash.evaluation.intervals import ClassIntervals, class_intervals
from aquadash.evaluation.metric_table import Score, scores, scores_to_dict
from aquadash.evaluation.metrics import Evaluation
from aquadash.evaluation.records import Predictions


@dataclass(frozen=True, eq=False)
class Summary:
    """The figures of one run."""

    intervals: tuple[ClassIntervals, ...]
    scores: Mapping[str, Score]
    curves: tuple[ranking.ClassCurves, ...]
    calibration: Calibration
    #: None for a run without validation predictions.
    rescaling: Rescaling | None
    #: Positions of the test images whose label is probably wrong.
    doubtful_labels: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "class_ci95": {row.label: row.to_dict() for row in self.intervals},
            **scores_to_dict(self.scores),
            **ranking.to_dict(self.curves),
            "ece": self.calibration.ece,
            "mce": self.calibration.mce,
            "brier": self.calibration.brier,
            "reliability": self.calibration.to_dict()["bins"],
            "temperature": None if self.rescaling is None else self.rescaling.temperature.value,
            "temperature_scaling": None if self.rescaling is None else self.rescaling.to_dict(),
            "doubtful_labels": self.doubtful_labels.tolist(),
        }


def summarize(
    evaluation: Evaluation,
    predictions: Predictions,
    validation: Predictions | None,
    *,
    validated_on_test: bool = False,
) -> Summary:
    """Compute all figures; ``validation`` holds the predictions of the validation images, if the run kept them."""
    labels, probabilities = predictions.labels, predictions.probabilities
    return Summary(
        intervals=class_intervals(evaluation.confusion_matrix, class_names=evaluation.classes),
        scores=scores(evaluation, predictions),
        curves=ranking.ranking_curves(labels, probabilities, class_names=evaluation.classes),
        calibration=reliability(labels, probabilities),
        rescaling=None if validation is None else rescale(predictions, validation, validated_on_test=validated_on_test),
        doubtful_labels=predictions.indices[doubtful_labels(labels, probabilities)],
    )
