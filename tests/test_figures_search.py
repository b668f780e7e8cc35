"""The charts of a search: their values, their words, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import pytest

from aquadash.figures import search_charts, theme
from aquadash.search import Trial, TrialState
from aquadash.search.strategies import MIN_TRIALS, has_importance, study_of
from tests.search_fakes import plan
from tests.test_figures_charts import EVIL
from tests.test_search_results import PLAN, trials

TRIALS = (
    *(Trial(number, TrialState.COMPLETE, trial.value, trial.params) for number, trial in enumerate(trials(12))),
    Trial(12, TrialState.PRUNED, params=trials(1)[0].params),
    Trial(13, TrialState.RUNNING, params=trials(1)[0].params),
)
STUDY = study_of(PLAN, TRIALS, label=lambda name: f"{theme.escape(EVIL)} {name}", text=lambda name, value: f"<{value}>")
NAMES = [f"{theme.escape(EVIL)} {parameter.name}" for parameter in PLAN.space]

FIGURES: dict[str, Callable[[], go.Figure]] = {
    "history": lambda: search_charts.optimization_history(STUDY),
    "parallel coordinates": lambda: search_charts.parallel_coordinates(STUDY),
    "slices": lambda: search_charts.slices(STUDY, NAMES),
    "importances": lambda: search_charts.importances(STUDY),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "history": lambda: search_charts.optimization_history(study_of(PLAN, [])),
    "history of failures": lambda: search_charts.optimization_history(study_of(PLAN, [Trial(0, TrialState.FAILED)])),
}


def test_history_holds_the_complete_trials_and_the_best_so_far() -> None:
    dots, best, *_ = search_charts.optimization_history(STUDY).data
    values = [100 * trial.value for trial in TRIALS[:12]]
    assert list(dots.x) == list(range(12)) and list(dots.y) == pytest.approx(values)
    assert list(best.y)[:12] == pytest.approx([max(values[: number + 1]) for number in range(12)])
    alt = theme.alt_text(search_charts.optimization_history(STUDY))
    assert f"of 12 trials. The best is trial {values.index(max(values))} with {max(values):.1f} %" in alt


def test_a_trial_outside_of_a_logarithmic_range_counts_as_failed_and_keeps_its_number() -> None:
    start = plan("training.weight_decay=1e-4..1e-1:log")
    base = start.base["training.weight_decay"]
    assert base == 0, "a logarithmic range cannot hold the value that the search starts from"
    values = ((0.5, base), (0.4, 0.01))
    study = study_of(start, [
        Trial(number, TrialState.COMPLETE, accuracy, {"training.weight_decay": decay})
        for number, (accuracy, decay) in enumerate(values)
    ])  # fmt: skip
    assert [trial.number for trial in study.trials if trial.value is not None] == [1]


def test_importance_waits_for_enough_trials_that_differ() -> None:
    assert not has_importance(study_of(PLAN, trials(MIN_TRIALS - 1)))
    assert not has_importance(study_of(PLAN, trials(20, flat=True)))
    assert has_importance(study_of(PLAN, trials(MIN_TRIALS)))
