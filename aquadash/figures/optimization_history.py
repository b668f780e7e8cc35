"""A search's trials in their order, the best so far, and the settings to beat."""

from __future__ import annotations

from collections.abc import Sequence

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


def optimization_history(trials: Sequence[Trial], *, revision: str = "") -> go.Figure:
    """Draw a search's progress.

    Args:
        trials: In the order of their numbers; the first may be hidden from who looks.
        revision: While it stays the same, a zoom survives new trials; a search's id, say.
    """
    complete = [(trial.number, 100 * trial.value) for trial in trials if trial.value is not None]
    if not complete:
        return empty_figure("Each trial's validation accuracy appears here once the first has ended.", height=_HEIGHT)
    pruned = [
        (trial.number, 100 * trial.reached)
        for trial in trials
        if trial.state is TrialState.PRUNED and trial.reached is not None
    ]
    best, last = best_so_far(trials), trials[-1].number
    default = next((trial.value for trial in trials if trial.number == 0), None)
    figure = go.Figure()
    figure.add_scatter(
        x=[number for number, _ in best] + [last],
        y=[100 * value for _, value in best] + [100 * best[-1][1]],
        name="Best so far",
        mode="lines",
        line={"color": VALIDATION_COLOUR, "width": 2.5, "shape": "hv"},
        hovertemplate="Best so far: %{y:.1f} %<extra></extra>",
    )
    for name, points, symbol, colour in (
        ("Trial", complete, "circle", TRAINING_COLOUR),
        ("Stopped early, at its best", pruned, "x-thin", OUTLINE_COLOUR),
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
    if default is not None:
        figure.add_scatter(
            x=[0, max(last, 1)],
            y=[100 * default] * 2,
            name="Settings to start from",
            mode="lines",
            line={"color": OUTLINE_COLOUR, "width": 1.5, "dash": "dash"},
            hovertemplate="Settings to start from: %{y:.1f} %<extra></extra>",
        )
    figure.update_xaxes(title="Trial", tick0=0, dtick=1 + last // 10, range=[-0.6, max(last, 1) + 0.6])
    figure.update_yaxes(title=FIGURES["val_accuracy"].title, ticksuffix=" %")
    figure.update_layout(hovermode="closest", uirevision=f"optimization-history-{revision}")
    number, value = max(complete, key=lambda point: (point[1], -point[0]))
    alt = (
        f"Validation accuracy of {len(complete)} complete trial{'s' if len(complete) > 1 else ''}. "
        f"The best is trial {number} with {value:.1f} %"
    )
    alt += f"; the settings to start from have {100 * default:.1f} %." if default is not None else "."
    if pruned:
        alt += f" {len(pruned)} more {'were' if len(pruned) > 1 else 'was'} stopped early."
    return finish(figure, alt=alt, height=_HEIGHT)
