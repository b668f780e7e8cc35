"""Labels and probabilities to typed results: metrics, intervals, tests, curves. Needs neither TensorFlow nor a page."""

from __future__ import annotations

from aquadash.evaluation.browse import OUTCOMES, SORTS, select
from aquadash.evaluation.compare import McNemar, compare_predictions, mcnemar
from aquadash.evaluation.curves import Verdict, best_epoch, overfit_verdict
from aquadash.evaluation.guess import GuessScore, accuracy_words, check_pair, pair_words, score_guess
from aquadash.evaluation.metrics import (
    ClassScores,
    Evaluation,
    confidence,
    evaluate,
    predicted_labels,
    wilson_interval,
)

__all__ = [
    "OUTCOMES",
    "SORTS",
    "ClassScores",
    "Evaluation",
    "GuessScore",
    "McNemar",
    "Verdict",
    "accuracy_words",
    "best_epoch",
    "check_pair",
    "compare_predictions",
    "confidence",
    "evaluate",
    "mcnemar",
    "overfit_verdict",
    "pair_words",
    "predicted_labels",
    "score_guess",
    "select",
    "wilson_interval",
]
