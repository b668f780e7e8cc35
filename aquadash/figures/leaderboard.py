"""The board of a class as a chart: each student's best run with its 95 % interval."""

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.classroom.leaderboard import Standing
from aquadash.figures.dot_rows import Dots, dot_rows
from aquadash.figures.theme import (
    RIGHT_COLOUR,
    VALIDATION_COLOUR,
    empty_figure,
    escape,
    hover_name,
    listed,
    percent,
    shorten,
)


def leaderboard_chart(entries: Sequence[Standing], *, measured_on: str, own: str = "") -> go.Figure:
    """Draw a dot and its interval for each student, the best on top."""
    if not entries:
        return empty_figure("The board is empty. Students appear here after their first finished training.")
    is_own = [bool(own) and entry.person_id == own for entry in entries]
    marker = {
        "color": VALIDATION_COLOUR if measured_on == "validation" else RIGHT_COLOUR,
        "size": [17 if mine else 12 for mine in is_own],
        "symbol": ["star" if mine else "circle" for mine in is_own],
    }
    fractions = [percent(entry.accuracy, entry.interval) for entry in entries]
    hover = [
        f"<b>{hover_name(entry.name)}</b><br>{hover_name(entry.run.name)}<br>{entry.right:,} of {entry.images:,} "
        f"{measured_on} images right: {right.value}<br>95 % interval {right.interval}"
        for entry, right in zip(entries, fractions, strict=True)
    ]
    accuracies, intervals = [entry.accuracy for entry in entries], [entry.interval for entry in entries]
    each = [
        f"place {entry.rank} {shorten(entry.name)} {right}" for entry, right in zip(entries, fractions, strict=True)
    ]
    # Long names leave little room on a phone.
    return dot_rows(
        [f"{entry.rank}. {escape(shorten(entry.name, length=20))}" for entry in entries],
        [Dots(range(len(entries)), accuracies, intervals, hover, {"marker": marker})],
        title=f"{measured_on.capitalize()} accuracy",
        alt=f"{measured_on.capitalize()} accuracy with its 95 % interval: {listed(each, most=10)}.",
    )
