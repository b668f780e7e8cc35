"""Accuracy against cost, with the Pareto front."""

import math
from collections.abc import Callable, Container, Sequence

import plotly.graph_objects as go

from aquadash.evaluation.compare import pareto_front
from aquadash.evaluation.metrics import Evaluation
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    run_style,
    shorten,
    whiskers,
)

#: In pixels.
_HEIGHT = 420


def cost_accuracy(
    runs: Sequence[tuple[str, Evaluation | None, float | None]],
    *,
    cost: str,
    title: str,
    text: Callable[[float], str],
    together: Container[int] | None = None,
) -> go.Figure:
    """Draw a point with its interval for each run, and a stair through the runs on the Pareto front."""
    known = [
        (index, name, 100 * results.accuracy, results, price)
        for index, (name, results, price) in enumerate(runs)
        if results is not None and price is not None
    ]
    if not known:
        return empty_figure("Each run appears here once its accuracy and its cost are known.", height=_HEIGHT)
    costs = [price for *_, price in known]
    ranked = [run for run in known if together is None or run[0] in together]
    on_front = pareto_front([price for *_, price in ranked], [results.accuracy for *_, results, _ in ranked])
    best = sorted((run for run, on in zip(ranked, on_front, strict=True) if on), key=lambda run: run[-1])
    front = {index for index, *_ in best}
    figure = go.Figure()
    figure.add_scatter(
        x=[price for *_, price in best],
        y=[accuracy for _, _, accuracy, *_ in best],
        mode="lines+markers",
        name="Pareto front",
        line={"color": OUTLINE_COLOUR, "width": 2, "dash": "dot", "shape": "hv"},
        marker={"color": "rgba(0, 0, 0, 0)", "size": 22, "line": {"color": OUTLINE_COLOUR, "width": 2}},
        hoverinfo="skip",
        visible=bool(best),
    )
    for index, name, accuracy, results, price in known:
        figure.add_scatter(
            x=[price],
            y=[accuracy],
            **run_style(index, name, size=12),
            mode="markers",
            error_y=whiskers([results.accuracy], [results.accuracy_ci95]),
            hovertemplate=f"<b>{hover_name(name)}</b><br>{escape(text(price))}<br>%{{y:.1f}} %"
            f"{', on the Pareto front' if index in front else ''}<extra></extra>",
        )
    figure.update_xaxes(title=escape(cost), showgrid=True)
    # Costs that span a large factor need a logarithmic axis.
    if min(costs) > 0 and max(costs) >= 8 * min(costs):
        digits = (1, 2, 5) if max(costs) < 1000 * min(costs) else (1,)
        powers = range(math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs))) + 1)
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,.10g}" for tick in ticks])
    else:
        figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(title=title, ticksuffix=" %")
    figure.update_layout(hovermode="closest")
    winners = [f"{shorten(name)} ({text(price)}, {accuracy:.1f} %)" for _, name, accuracy, _, price in best]
    alt = f"{title} of {len(known)} runs against {cost}. On the Pareto front: {listed(winners, most=10) or 'none'}."
    return finish(figure, alt=alt, height=_HEIGHT)
