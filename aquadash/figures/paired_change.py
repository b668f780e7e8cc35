"""What one change did to the accuracy: overall and class by class, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from aquadash.evaluation import PairedChange
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    class_colour,
    class_label,
    finish,
    hover_name,
    listed,
    rows_axis,
    run_colour,
    shorten,
    whiskers,
)

#: The axis reaches at least so many points to both sides, so that small changes look small.
_MIN_REACH = 10.0


def paired_change(change: PairedChange, *, class_names: Sequence[str], images: str = "validation") -> go.Figure:
    """Draw a dot and its interval for each row, left of zero where accuracy was lost.

    Args:
        change: What was found.
        class_names: One name a class, those without images among them, too.
        images: What kind of images they are, for the axis.
    """
    rows = (change.overall, *change.classes)
    figure = go.Figure()
    figure.add_vline(x=0, line={"color": OUTLINE_COLOUR, "width": 1.5})
    for position, row in enumerate(rows):
        low, high = row.interval
        colour = run_colour(0) if position == 0 else class_colour(row.label, class_names.index(row.label))
        figure.add_scatter(
            x=[100 * row.change],
            y=[position],
            mode="markers",
            # Filled where the interval leaves no change out: colour and place are not the only signs.
            marker={
                "color": colour,
                "size": 13 if position == 0 else 11,
                "symbol": "circle" if low > 0 or high < 0 else "circle-open",
                "line": {"width": 2, "color": colour},
            },
            error_x=whiskers([row.change], [row.interval]),
            hovertemplate=f"<b>{hover_name(row.label)}</b><br>{100 * row.before:.1f} → {100 * row.after:.1f} &#37; "
            f"of {row.n} images<br>change %{{x:+.1f}} points, 95 &#37; interval {100 * low:+z.1f} to {100 * high:+z.1f}"
            f"<br>{row.fixed} fixed, {row.broken} newly broken<extra></extra>",
            showlegend=False,
        )
    reach = max(_MIN_REACH, *(100 * abs(end) for row in rows for end in row.interval)) * 1.06
    figure.update_xaxes(
        title=f"Change of accuracy on {images} images, in points",
        range=[-reach, reach],
        tickformat="+d",
        showgrid=True,
        fixedrange=True,
    )
    figure.update_yaxes(rows_axis(["<b>all</b>", *(class_label(row.label) for row in rows[1:])]))
    figure.update_layout(hovermode="closest", margin={"t": 8}, dragmode=False)
    each = [
        f"{shorten(row.label)} {100 * row.change:+.0f} points ({100 * row.interval[0]:+.0f} to "
        f"{100 * row.interval[1]:+.0f})"
        for row in rows
    ]
    return finish(
        figure,
        alt=f"Change of accuracy on {images} images with its 95 % interval: {listed(each, most=12)}.",
        height=100 + 38 * len(rows),
    )
