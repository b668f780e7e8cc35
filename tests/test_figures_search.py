"""The charts of a search: their values, their words, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import pytest

from aquadash.figures import theme
from aquadash.figures.optimization_history import optimization_history
from aquadash.figures.parallel_coordinates import Dimension, axis, parallel_coordinates, ranks
from aquadash.figures.parameter_importance import parameter_importance
from aquadash.search import Trial, TrialState
from tests.test_figures_charts import EVIL

TRIALS = (
    Trial(0, TrialState.COMPLETE, 0.5),
    Trial(1, TrialState.FAILED),
    Trial(2, TrialState.COMPLETE, 0.4),
    Trial(3, TrialState.PRUNED, reached=0.3),
    Trial(4, TrialState.COMPLETE, 0.7),
    Trial(5, TrialState.PRUNED),
    Trial(6, TrialState.RUNNING),
)


def parallel(count: int) -> go.Figure:
    return parallel_coordinates(
        [
            Dimension("Learning rate", [10.0**-number for number in range(1, count + 1)], log=True),
            Dimension(EVIL, [EVIL if number % 2 else "adam" for number in range(count)]),
            Dimension("Batch size", [32.0] * count),
        ],
        accuracies=[0.5 + number / 100 for number in range(count)],
        names=[f"{EVIL} #{number}" for number in range(count)],
    )


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "history": lambda: optimization_history(TRIALS),
    "history of one": lambda: optimization_history(TRIALS[:1]),
    "history without a yardstick": lambda: optimization_history(
        [Trial(0, TrialState.FAILED), Trial(1, TrialState.COMPLETE, 0.4)]
    ),
    "parallel": lambda: parallel(12),
    "parallel of two": lambda: parallel(2),
    "importance": lambda: parameter_importance({"Learning rate": 0.7, EVIL: 0.3}),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "history": lambda: optimization_history([]),
    "history of failures": lambda: optimization_history([Trial(0, TrialState.FAILED)]),
    "importance": lambda: parameter_importance({}),
}


def test_history_holds_the_best_so_far_and_what_was_stopped_early() -> None:
    figure = optimization_history(TRIALS)
    best, complete, pruned, default = figure.data
    # To the trial that is under way.
    assert best.x == (0, 2, 4, 6) and best.y == pytest.approx((50.0, 50.0, 70.0, 70.0))
    assert complete.x == (0, 2, 4) and complete.y == pytest.approx((50.0, 40.0, 70.0))
    assert pruned.x == (3,) and pruned.y == (30.0,) and default.y == (50.0, 50.0)
    assert "best is trial 4 with 70.0 %; the settings to start from have 50.0 %" in theme.alt_text(figure)
    alt = theme.alt_text(optimization_history(TRIALS[2:]))
    assert "best is trial 4" in alt and "settings to start from" not in alt, "the first trial's run is hidden"


def test_a_zoom_survives_new_trials_of_the_same_search_only() -> None:
    one, more, other = (
        optimization_history(TRIALS[:count], revision=revision).layout.uirevision
        for count, revision in ((3, "a"), (7, "a"), (7, "b"))
    )
    assert one == more != other


def test_numbers_stand_on_a_linear_or_logarithmic_axis() -> None:
    linear = axis(Dimension("x", [0.0, 0.5, 1.0]))
    assert linear.positions == (0.0, 0.5, 1.0) and [text for _, text in linear.ticks] == ["0", "0.5", "1"]
    log = axis(Dimension("x", [0.001, 0.1, 0.01], log=True))
    assert log.positions == pytest.approx((0.0, 1.0, 0.5)) and [text for _, text in log.ticks] == [
        "0.001",
        "0.01",
        "0.1",
    ]
    assert axis(Dimension("x", [0.0, 0.1], log=True)).positions == (0.0, 1.0)  # Zero has no logarithm.
    assert len(axis(Dimension("x", list(range(50)))).ticks) == 4


def test_whole_numbers_are_told_in_full() -> None:
    sizes = Dimension("Batch size", [64.0, 1024.0, 2048.0], log=True)
    assert [text for _, text in axis(sizes).ticks] == ["64", "1024", "2048"]
    seeds = Dimension("Seed", [1001.0, 1002.0, 1003.0])
    assert [text for _, text in axis(seeds).ticks] == ["1001", "1002", "1003"]
    assert axis(Dimension("Seed", [123456.0])).ticks == ((0.5, "123456"),)
    figure = parallel_coordinates([Dimension("Seed", [123456.0])], accuracies=[0.5], names=["one"])
    assert "Seed 123456" in theme.alt_text(figure)


def test_names_stand_apart_and_one_value_in_the_middle() -> None:
    names = axis(Dimension("x", ["b", "a", "c", "a"]))
    assert names.positions == (0.5, 0.0, 1.0, 0.0) and [text for _, text in names.ticks] == ["a", "b", "c"]
    assert axis(Dimension("x", ["a", "a"])).positions == axis(Dimension("x", [3.0, 3.0])).positions == (0.5, 0.5)


def test_the_best_trial_and_the_best_quarter_stand_out() -> None:
    assert ranks([0.1, 0.9, 0.9, 0.2, 0.3, 0.4, 0.5, 0.6]) == [
        "other", "best", "good", "other", "other", "other", "other", "other",
    ]  # fmt: skip
    figure = parallel(12)
    assert [trace.name for trace in figure.data] == ["The others", "The best quarter", "The best"]
    best = figure.data[2]
    assert len(best.x) == 5 and best.y[3] == 1.0  # Three settings, the accuracy at the top, and a gap.
    assert "The best, " in theme.alt_text(figure) and "Accuracy, % 61" in theme.alt_text(figure)


def test_importance_is_ranked() -> None:
    figure = parameter_importance({"a": 0.2, "b": 0.8})
    assert list(figure.data[0].x) == [80, 20] and figure.layout.yaxis.ticktext == ("b", "a")
    assert theme.alt_text(figure) == "What decided the trials: b 80 %, a 20 %."
