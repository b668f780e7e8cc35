"""A search's trials in their order, the best so far, and the settings to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    TRAINING_COLOUR,
    VALIDATION_COLOUR,
    empty_figure,
    finish,
)
from aquadash.runs.fields import FIGURES
from aquadash.search.types import Trial, TrialState, best_so_far

#: In pixels.
_HEIGHT = 320


@dataclass(frozen=True)
class OptimizationHistory:
    """The values of the chart; accuracies in per cent.

    Attributes:
        complete: Number and validation accuracy of each complete trial.
        pruned: Number and best validation accuracy of each trial that was stopped early, where one was seen.
        best: Number and best accuracy so far of each complete trial.
        default: The accuracy of the settings that the search started from, None while unknown.
        last: The number of the last trial, ended or not.
    """

    complete: tuple[tuple[int, float], ...]
    pruned: tuple[tuple[int, float], ...]
    best: tuple[tuple[int, float], ...]
    default: float | None
    last: int


def compute(trials: Sequence[Trial]) -> OptimizationHistory:
    """The chart's values from a search's trials, which are in the order of their numbers."""
    return OptimizationHistory(
        complete=tuple((trial.number, 100 * trial.value) for trial in trials if trial.value is not None),
        pruned=tuple(
            (trial.number, 100 * trial.reached)
            for trial in trials
            if trial.state is TrialState.PRUNED and trial.reached is not None
        ),
        best=tuple((number, 100 * value) for number, value in best_so_far(trials)),
        default=100 * trials[0].value if trials and trials[0].value is not None else None,
        last=trials[-1].number if trials else 0,
    )


def optimization_history(trials: Sequence[Trial], *, revision: str = "") -> go.Figure:
    """Draw a search's progress.

    Args:
        trials: In the order of their numbers.
        revision: While it stays the same, a zoom survives new trials; a search's id, say.
    """
    values = compute(trials)
    if not values.complete:
        return empty_figure("Each trial's validation accuracy appears here once the first has ended.", height=_HEIGHT)
    figure = go.Figure()
    figure.add_scatter(
        x=[number for number, _ in values.best] + [values.last],
        y=[value for _, value in values.best] + [values.best[-1][1]],
        name="Best so far",
        mode="lines",
        line={"color": VALIDATION_COLOUR, "width": 2.5, "shape": "hv"},
        hovertemplate="Best so far: %{y:.1f} %<extra></extra>",
    )
    for name, points, symbol, colour in (
        ("Trial", values.complete, "circle", TRAINING_COLOUR),
        ("Stopped early, at its best", values.pruned, "x-thin", OUTLINE_COLOUR),
    ):
        if points:
            figure.add_scatter(
                x=[number for number, _ in points],
                y=[value for _, value in points],
                name=name,
                mode="markers",
                marker={"color": colour, "size": 9, "symbol": symbol, "line": {"color": colour, "width": 2}},
                hovertemplate=f"{name} #%{{x}}: %{{y:.1f}} %<extra></extra>",
            )
    if values.default is not None:
        figure.add_scatter(
            x=[0, max(values.last, 1)],
            y=[values.default] * 2,
            name="Settings to start from",
            mode="lines",
            line={"color": OUTLINE_COLOUR, "width": 1.5, "dash": "dash"},
            hovertemplate="Settings to start from: %{y:.1f} %<extra></extra>",
        )
    figure.update_xaxes(title="Trial", tick0=0, dtick=1 + values.last // 10, range=[-0.6, max(values.last, 1) + 0.6])
    figure.update_yaxes(title=FIGURES["val_accuracy"].title, ticksuffix=" %")
    figure.update_layout(hovermode="closest", uirevision=f"optimization-history-{revision}")
    return finish(figure, alt=_alt(values), height=_HEIGHT)


def _alt(values: OptimizationHistory) -> str:
    number, best = max(values.complete, key=lambda point: (point[1], -point[0]))
    count = len(values.complete)
    text = (
        f"Validation accuracy of {count} complete trial{'s' if count > 1 else ''}. "
        f"The best is trial {number} with {best:.1f} %"
    )
    text += f"; the settings to start from have {values.default:.1f} %." if values.default is not None else "."
    if values.pruned:
        text += f" {len(values.pruned)} more {'were' if len(values.pruned) > 1 else 'was'} stopped early."
    return text
