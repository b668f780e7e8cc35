"""Accuracy against one setting: does it matter?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.figures.parallel_coordinates import Dimension
from aquadash.figures.theme import OUTLINE_COLOUR, escape, finish, hover_name, listed, run_style, shorten

#: How far runs of one category stand apart, in widths of the category.
_SPREAD = 0.36

#: In pixels.
_HEIGHT = 360


def means(dimension: Dimension, accuracies: Sequence[float]) -> list[tuple[float | str, float, int]]:
    """The mean accuracy at each value: (value, mean, number of runs); numbers ascending, texts by their first run."""
    groups: dict[float | str, list[float]] = defaultdict(list)
    for value, accuracy in zip(dimension.values, accuracies, strict=True):
        groups[value].append(accuracy)
    texts = any(isinstance(value, str) for value in groups)
    order = list(groups) if texts else sorted(groups, key=float)
    return [(value, sum(groups[value]) / len(groups[value]), len(groups[value])) for value in order]


def metric_by_setting(
    dimension: Dimension, *, accuracies: Sequence[float], names: Sequence[str], indices: Sequence[int], title: str
) -> go.Figure:  # fmt: skip
    """Draw a point a run, and the mean of each value; numbers have a line through these.

    Args:
        dimension: The setting; a text's values stand side by side, the runs of one value a little apart.
        accuracies: One a run, 0 to 1, at least one.
        names: One a run.
        indices: The runs' positions among those compared, which decide colour and marker.
        title: What the accuracy is, for its axis.
    """
    texts = any(isinstance(value, str) for value in dimension.values)
    middle = means(dimension, accuracies)
    place = {value: float(number) if texts else float(value) for number, (value, _, _) in enumerate(middle)}
    figure = go.Figure()
    figure.add_scatter(
        x=[place[value] for value, _, _ in middle],
        y=[100 * mean for _, mean, _ in middle],
        # Between the names of a few there is nothing to be read off a line.
        mode="markers" if texts else "lines+markers",
        name="Mean",
        line={"color": OUTLINE_COLOUR, "width": 1.5, "dash": "dot"},
        marker={"color": OUTLINE_COLOUR, "symbol": "line-ew-open", "size": 16, "line": {"width": 2}},
        hovertext=[
            f"Mean at {escape(_value_text(value))}: {100 * mean:.1f} % of {number} run{'' if number == 1 else 's'}"
            for value, mean, number in middle
        ],
        hoverinfo="text",
        showlegend=False,
    )
    seen: dict[float | str, int] = defaultdict(int)
    for index, name, value, accuracy in zip(indices, names, dimension.values, accuracies, strict=True):
        together = sum(other == value for other in dimension.values)
        shift = _SPREAD * (seen[value] / (together - 1) - 0.5) if texts and together > 1 else 0.0
        seen[value] += 1
        figure.add_scatter(
            x=[place[value] + shift],
            y=[100 * accuracy],
            **run_style(index, name, size=12),
            mode="markers",
            showlegend=False,
            hovertemplate=f"<b>{hover_name(name)}</b><br>{escape(dimension.label)}: {escape(_value_text(value))}<br>"
            "%{y:.1f} %<extra></extra>",
        )
    figure.update_xaxes(title=escape(shorten(dimension.label)), showgrid=not texts)
    if texts:
        figure.update_xaxes(
            tickvals=[place[value] for value, _, _ in middle],
            ticktext=[escape(shorten(str(value), length=18)) for value, _, _ in middle],
            range=[-0.6, len(middle) - 0.4],
        )
    elif dimension.log and min(place.values()) > 0:
        figure.update_xaxes(type="log")
        if len(middle) <= 8:
            # A logarithmic axis writes 2 and 5 between its powers of ten, without these.
            figure.update_xaxes(tickvals=list(place.values()), ticktext=[f"{value:g}" for value in place.values()])
            low, high = (math.log10(end(place.values())) for end in (min, max))
            margin = 0.08 * (high - low) or 0.3
            figure.update_xaxes(range=[low - margin, high + margin])
    figure.update_yaxes(title=title, ticksuffix=" %")
    figure.update_layout(hovermode="closest", margin={"t": 12})
    told = [f"{_value_text(value)} {100 * mean:.1f} %" for value, mean, _ in middle]
    alt = f"{title} of {len(names)} runs by {dimension.label}. Means: {listed(told, most=10)}."
    return finish(figure, alt=alt, height=_HEIGHT)


def _value_text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
