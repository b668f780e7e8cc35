"""The charts of a search, drawn by Optuna in our colours.

Each takes an Optuna study. The names of its settings are titles, already escaped; its objective is the validation
accuracy in per cent.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    TRAINING_COLOUR,
    VALIDATION_COLOUR,
    empty_figure,
    finish,
    listed,
    percent,
)

if TYPE_CHECKING:
    from optuna import Study

_ACCURACY = "Validation accuracy, %"

#: Maximum number of lines in the parallel coordinates, those of the best trials: more slow the browser down.
_MAX_LINES = 100


def optimization_history(study: Study, *, revision: str = "") -> go.Figure:
    """Draw the accuracy of each complete trial and the best so far."""
    from optuna.visualization import plot_optimization_history

    known = [trial for trial in study.get_trials(deepcopy=False) if trial.value is not None]
    if not known:
        return empty_figure("Each trial appears here as a dot once it has ended.", height=300)
    figure = plot_optimization_history(study, target_name=_ACCURACY)
    figure.update_traces(marker={"color": TRAINING_COLOUR, "size": 9}, selector={"mode": "markers"})
    figure.update_traces(line={"color": VALIDATION_COLOUR, "width": 2, "shape": "hv"}, selector={"mode": "lines"})
    figure.update_layout(uirevision=revision)
    best = max(known, key=lambda trial: (trial.value, -trial.number))
    alt = f"{_ACCURACY[:-3]} of {len(known)} trials. The best is trial {best.number} with {best.value:.1f} %."
    return _finish(figure, alt=alt, height=300)


def parallel_coordinates(study: Study) -> go.Figure:
    """Draw a line for each complete trial, at least one, through an axis for each setting; the better, the stronger."""
    import optuna
    from optuna.visualization import plot_parallel_coordinate

    known = [trial for trial in study.get_trials(deepcopy=False) if trial.value is not None]
    best_last = sorted(known, key=lambda trial: (trial.value, -trial.number))[-_MAX_LINES:]
    drawn = optuna.create_study(direction="maximize")
    # Later lines are drawn above earlier ones.
    drawn.add_trials(best_last)
    figure = plot_parallel_coordinate(drawn, target_name=_ACCURACY)
    # Optuna's palest and darkest blues vanish on our pages; its last trace is their colour bar.
    figure.data = figure.data[:-1]
    for line in figure.data:
        height = line.y[0]
        colour, width = (VALIDATION_COLOUR, 3) if height == 1 else (TRAINING_COLOUR, 1.5)
        line.update(line={"color": colour, "width": width}, opacity=0.15 + 0.85 * height**2)
    # Otherwise Plotly hides long labels of the first and last axis.
    figure.update_xaxes(ticklabeloverflow="allow", fixedrange=True)
    best = best_last[-1]
    settings = [
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in best.params.items()
    ]
    alt = f"Settings of {len(best_last)} trials. The best has {best.value:.1f} %: {listed(settings, most=10)}."
    return _finish(figure, alt=alt, height=380)


def slices(study: Study, names: Sequence[str]) -> go.Figure:
    """Draw the accuracy against each of some settings, side by side; the later a trial, the darker its dot."""
    from optuna.visualization import plot_slice

    figure = plot_slice(study, params=list(names), target_name=_ACCURACY)
    figure.update_layout(width=None)
    return _finish(figure, alt=f"Validation accuracy of the trials against {listed(names)}.", height=300)


def importances(study: Study) -> go.Figure:
    """Draw how much of the differences between trials each setting explains; see ``strategies.importance``."""
    from optuna.importance import FanovaImportanceEvaluator
    from optuna.visualization import plot_param_importances

    figure = plot_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    bars = figure.data[0]
    figure.update_traces(marker={"color": TRAINING_COLOUR})
    figure.update_xaxes(title="Importance (fraction of the differences)", showgrid=True)
    figure.update_yaxes(title="")
    ranked = sorted(zip(bars.x, bars.y, strict=True), reverse=True)
    alt = f"Importance of the settings: {listed([f'{name} {percent(fraction)}' for fraction, name in ranked])}."
    return _finish(figure, alt=alt, height=90 + 36 * len(ranked))


def _finish(figure: go.Figure, *, alt: str, height: int) -> go.Figure:
    figure.update_layout(title=None, plot_bgcolor=None, template=None)
    figure.update_shapes(line={"color": OUTLINE_COLOUR})
    # The text alternative is plain text, not markup.
    return finish(figure, alt=html.unescape(alt), height=height)
