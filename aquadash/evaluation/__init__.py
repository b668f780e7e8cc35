"""Labels and probabilities to typed results: metrics, intervals, tests, curves. Needs neither TensorFlow nor a page.

Everywhere ``labels`` are integers (n,) from 0, ``probabilities`` are (n, classes) with rows that sum to 1, and
``class_names`` are in the order of the labels. Arrays that do not belong together raise a
:class:`~aquadash.errors.DataError`.
"""

from aquadash.evaluation.browse import SORTS, select
from aquadash.evaluation.calibration import Calibration, Rescaling, bin_of, reliability, rescale
from aquadash.evaluation.compare import (
    LEVEL,
    AccuracyChange,
    Agreement,
    PairTest,
    agreement_of,
    describe_change,
    measured_together,
    p_text,
    paired_change,
    pairwise,
    pareto_front,
)
from aquadash.evaluation.curves import CurveVerdict, best_epoch, overfit_verdict
from aquadash.evaluation.guess import GuessScore, check_pair, score_guess
from aquadash.evaluation.intervals import clustered_interval, wilson_interval
from aquadash.evaluation.metric_table import METRICS, Metric, Score, scores, scores_to_dict, stored_scores
from aquadash.evaluation.metrics import ClassScores, Evaluation, evaluate
from aquadash.evaluation.ranking import ClassCurves, macro_mean, ranking_curves
