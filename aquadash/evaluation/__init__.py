"""Labels and probabilities to typed results: metrics, intervals, tests, curves. Needs neither TensorFlow nor a page."""

from __future__ import annotations

from aquadash.evaluation.agreement import Agreement, agreement_of
from aquadash.evaluation.browse import OUTCOMES, SORTS, select
from aquadash.evaluation.calibration import Calibration, Temperature, bin_of, fit_temperature, reliability, scale
from aquadash.evaluation.compare import McNemar, compare_predictions, mcnemar
from aquadash.evaluation.coverage import (
    CoverageCurve,
    CoveragePoint,
    answered,
    coverage_at,
    coverage_curve,
    lowest_threshold,
)
from aquadash.evaluation.curves import Verdict, best_epoch, overfit_verdict
from aquadash.evaluation.guess import GuessScore, accuracy_words, check_pair, pair_words, score_guess
from aquadash.evaluation.intervals import ClassIntervals, class_intervals, clustered_interval, f1_interval
from aquadash.evaluation.label_errors import likely_classes, self_confidence, suspects
from aquadash.evaluation.metric_table import METRICS, Metric, Score, scores, scores_to_dict
from aquadash.evaluation.metrics import (
    ClassScores,
    Evaluation,
    confidence,
    evaluate,
    predicted_labels,
    wilson_interval,
)
from aquadash.evaluation.paired import AccuracyChange, PairedChange, newcombe_interval, paired_change, verdict
from aquadash.evaluation.pairs import PairTest, holm, pairwise
from aquadash.evaluation.pareto import pareto_front
from aquadash.evaluation.smoothing import exponential_average
from aquadash.evaluation.summary import Rescaling, Summary, rescale, summarize
from aquadash.evaluation.threshold_curves import ClassCurves, macro_mean, parts_at, ranking_curves
from aquadash.evaluation.top_k import TopK, top_k_accuracy, within_top

__all__ = [
    "METRICS",
    "OUTCOMES",
    "SORTS",
    "AccuracyChange",
    "Agreement",
    "Calibration",
    "ClassCurves",
    "ClassIntervals",
    "ClassScores",
    "CoverageCurve",
    "CoveragePoint",
    "Evaluation",
    "GuessScore",
    "McNemar",
    "Metric",
    "PairTest",
    "PairedChange",
    "Rescaling",
    "Score",
    "Summary",
    "Temperature",
    "TopK",
    "Verdict",
    "accuracy_words",
    "agreement_of",
    "answered",
    "best_epoch",
    "bin_of",
    "check_pair",
    "class_intervals",
    "clustered_interval",
    "compare_predictions",
    "confidence",
    "coverage_at",
    "coverage_curve",
    "evaluate",
    "exponential_average",
    "f1_interval",
    "fit_temperature",
    "holm",
    "likely_classes",
    "lowest_threshold",
    "macro_mean",
    "mcnemar",
    "newcombe_interval",
    "overfit_verdict",
    "pair_words",
    "paired_change",
    "pairwise",
    "pareto_front",
    "parts_at",
    "predicted_labels",
    "ranking_curves",
    "reliability",
    "rescale",
    "scale",
    "score_guess",
    "scores",
    "scores_to_dict",
    "select",
    "self_confidence",
    "summarize",
    "suspects",
    "top_k_accuracy",
    "verdict",
    "wilson_interval",
    "within_top",
]
