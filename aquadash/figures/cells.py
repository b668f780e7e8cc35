"""Charts of a matrix: coloured cells with a number in each, which can be clicked and framed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.figures.theme import SELECTED_COLOUR, finish

#: Colours of -1 (mistakes, or worse) to 1 (right answers, or better). They jump at 0.6, since Plotly's numbers, dark
#: grey or white, have less contrast than 4.5:1 on the shades between. Opaque, so that the theme does not matter.
SHADES = [
    (0.0, "#7A2A04"), (0.2, "#B5460B"), (0.2, "#F4A97B"), (0.4995, "#FDE9DC"), (0.4995, "#EDF1F4"),
    (0.5005, "#EDF1F4"), (0.5005, "#E0EDF7"), (0.8, "#96C4E3"), (0.8, "#15608F"), (1.0, "#0B3A63"),
]  # fmt: skip

#: Behind cells without a value.
_EMPTY = "rgba(125, 145, 160, 0.12)"

#: With more rows a number no longer fits its cell.
MAX_NUMBERED = 20

_TRANSPARENT = "rgba(0, 0, 0, 0)"
_SELECTED_FILL = "rgba(255, 176, 0, 0.4)"
#: The frame has two colours, because cells are pale or dark.
_FRAME_COLOURS = ("#08202c", SELECTED_COLOUR)


def cells(
    values: NDArray[np.float64],
    *,
    text: Callable[[int, int], str],
    hover: Callable[[int, int], str],
    alt: str,
    height: int,
    max_numbered: int = MAX_NUMBERED,
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw a square matrix, its first row on top. A selected point's ``customdata`` is ``[row, column]``.

    ``values``, float64 (k, k) from -1 to 1, colour the cells by :data:`SHADES`; NaN: no colour. ``text`` and ``hover``
    (escaped) get a row and a column; a cell without a hover label cannot be clicked.
    """
    k = len(values)
    numbered = k <= max_numbered
    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        zmin=-1,
        zmax=1,
        colorscale=SHADES,
        xgap=2 if numbered else 0,
        ygap=2 if numbered else 0,
        text=[[text(row, column) for column in range(k)] for row in range(k)],
        texttemplate="%{text}" if numbered else "",
        # Without a colour of its own plotly writes dark on light cells and light on dark ones.
        textfont={"size": 14 if k <= 10 else 10},
        hoverinfo="skip",
        hoverongaps=False,
        showscale=False,
    )
    # A heat map reports no clicks to Streamlit: transparent squares above its cells do.
    labels = {cell: label for cell in np.ndindex(k, k) if (label := hover(*cell))}
    figure.add_scatter(
        x=[column for _, column in labels],
        y=[row for row, _ in labels],
        mode="markers",
        showlegend=False,
        marker={"symbol": "square", "size": max(0.7 * height / k, 4), "color": _TRANSPARENT, "line": {"width": 0}},
        selected={"marker": {"color": _SELECTED_FILL}},
        unselected={"marker": {"color": _TRANSPARENT}},
        customdata=[list(cell) for cell in labels],
        hovertext=list(labels.values()),
        hoverinfo="text",
    )
    if selected is not None:
        row, column = selected
        corners = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
        width = 4 if k <= 50 else 2
        for colour, extra in zip(_FRAME_COLOURS, (2, 0), strict=True):
            figure.add_shape(type="rect", line={"color": colour, "width": width + extra}, **corners)
    figure.update_xaxes(range=[-0.5, k - 0.5], showgrid=False).update_yaxes(range=[k - 0.5, -0.5], showgrid=False)
    # `hoverdistance=-1`: Plotly takes the nearest cell at any distance, so clicks between the squares count, too.
    figure.update_layout(hovermode="closest", hoverdistance=-1, plot_bgcolor=_EMPTY)
    return finish(figure, alt=alt, height=height, zoom=False)
