"""The board of a class as a chart: each student's best run with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.figures.theme import (
    RIGHT_COLOUR,
    VALIDATION_COLOUR,
    empty_figure,
    escape,
    finish,
    hover_name,
    listed,
    percent,
    rows_axis,
    shorten,
    whiskers,
)
from aquadash.runs.leaderboard import Standing


def leaderboard_chart(entries: Sequence[Standing], *, measured_on: str, own: str = "") -> go.Figure:
    """Draw a dot and its interval for each student, the best on top.

    Args:
        entries: As ranked.
        measured_on: ``"validation"`` or ``"test"``.
        own: The id of the person who looks; their dot is a star.
    """
    if not entries:
        return empty_figure("Nobody is on the board yet. A finished training puts its owner there.")
    colour = VALIDATION_COLOUR if measured_on == "validation" else RIGHT_COLOUR
    figure = go.Figure()
    figure.add_scatter(
        x=[100 * entry.accuracy for entry in entries],
        y=list(range(len(entries))),
        mode="markers",
        marker={
            "color": colour,
            "size": [17 if own and entry.person_id == own else 12 for entry in entries],
            "symbol": ["star" if own and entry.person_id == own else "circle" for entry in entries],
        },
        error_x=whiskers([entry.accuracy for entry in entries], [entry.interval for entry in entries]),
        text=[
            f"<b>{hover_name(entry.name)}</b><br>{hover_name(entry.run.name)}<br>{entry.right:,} of {entry.images:,} "
            f"{measured_on} images right: {percent(entry.accuracy)}<br>95 % interval {percent(entry.interval[0])} to "
            f"{percent(entry.interval[1])}"
            for entry in entries
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )
    title = f"{measured_on.capitalize()} accuracy with its 95 % interval"
    # Long names leave little room on a phone.
    figure.update_xaxes(title=f"{measured_on.capitalize()} accuracy", ticksuffix=" %", showgrid=True)
    figure.update_yaxes(rows_axis([f"{entry.rank}. {escape(shorten(entry.name, length=20))}" for entry in entries]))
    figure.update_layout(hovermode="closest", margin={"t": 8}, dragmode=False)
    each = [f"place {entry.rank} {shorten(entry.name)} {percent(entry.accuracy, entry.interval)}" for entry in entries]
    return finish(figure, alt=f"{title}: {listed(each, most=10)}.", height=90 + 36 * len(entries))
