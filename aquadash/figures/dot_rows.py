"""Charts with a row for each thing and, in it, dots with their 95 % intervals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from aquadash.figures.theme import OUTLINE_COLOUR, finish, rows_axis, whiskers

#: Height of the axis, its title and the margins, in pixels.
_FRAME = 90


@dataclass(frozen=True)
class Dots:
    """One trace of dots, in one row or in several."""

    #: The row of each dot, from 0.
    rows: Sequence[int]
    #: Fractions, drawn in per cent.
    values: Sequence[float]
    #: Ends of each dot's interval as fractions; None for a dot without whiskers.
    intervals: Sequence[tuple[float, float] | None]
    #: The hover label of each dot, escaped.
    hover: Sequence[str]
    #: Other properties of the trace, such as its name and marker.
    style: Mapping[str, object]


def dot_rows(
    labels: Sequence[str],
    traces: Sequence[Dots],
    *,
    title: str,
    alt: str,
    unit: str = " %",
    row_height: int = 36,
    reference: float | None = None,
) -> go.Figure:
    """Draw the rows, the first on top. Where a row has several dots, the traces are side by side and have a legend."""
    figure = go.Figure()
    if reference is not None:
        figure.add_vline(x=100 * reference, line={"color": OUTLINE_COLOUR, "width": 1.5})
    crowded = max(Counter(row for trace in traces for row in trace.rows).values(), default=0) > 1
    for index, trace in enumerate(traces):
        shift = (index - (len(traces) - 1) / 2) * 0.8 / len(traces) if crowded else 0.0
        figure.add_scatter(
            x=[100 * value for value in trace.values],
            y=[row + shift for row in trace.rows],
            mode="markers",
            error_x=whiskers(trace.values, trace.intervals),
            hovertext=trace.hover,
            hoverinfo="text",
            **trace.style,
        )
    figure.update_xaxes(title=title, ticksuffix=unit, showgrid=True)
    figure.update_yaxes(rows_axis(labels))
    figure.update_layout(hovermode="closest", hoverdistance=30, showlegend=crowded)
    if not crowded:
        figure.update_layout(margin={"t": 8})
    return finish(figure, alt=alt, height=_FRAME + row_height * len(labels), zoom=False)
