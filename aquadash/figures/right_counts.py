"""Images by the number of compared runs that classify them correctly."""

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.figures.theme import RIGHT_COLOUR, WRONG_COLOUR, finish, listed


def count_label(number: int, runs: int) -> str:
    """Return ``"none"``, ``"only one"``, ``"3 of 5"`` or ``"all 5"``."""
    if number == 0:
        return "none"
    if number == runs:
        return f"all {runs}" if runs > 2 else "both"
    return "only one" if number == 1 else f"{number} of {runs}"


def right_counts(counts: Sequence[int], *, selected: int | None = None) -> go.Figure:
    """Draw a bar for each number of runs; a click gives ``customdata`` ``[number]``."""
    runs = len(counts) - 1
    colours = [WRONG_COLOUR if number == 0 else RIGHT_COLOUR for number in range(runs + 1)]
    opacity = [1.0 if selected in (None, number) else 0.45 for number in range(runs + 1)]
    labels = [count_label(number, runs) for number in range(runs + 1)]
    figure = go.Figure()
    figure.add_bar(
        x=list(range(runs + 1)),
        y=list(counts),
        customdata=[[number] for number in range(runs + 1)],
        text=[f"{count:,}" for count in counts],
        textposition="outside",
        cliponaxis=False,
        marker={"color": colours, "opacity": opacity},
        hovertemplate="Images: %{y}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="Number of correct runs", tickvals=list(range(runs + 1)), ticktext=labels)
    figure.update_yaxes(title="Images", rangemode="tozero").update_layout(margin={"t": 24})
    described = [f"{label} {count}" for label, count in zip(labels, counts, strict=True)]
    alt = f"Images by the number of correct runs: {listed(described, most=11)}."
    return finish(figure, alt=alt, height=230, zoom=False)
