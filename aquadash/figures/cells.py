"""Charts of a matrix: coloured cells with a number in each, which can be clicked and framed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.figures.theme import SELECTED_COLOUR, finish

#: From shallow to deep water. Opaque, so that the numbers' contrast does not depend on the page behind.
OCEAN_SCALE = ["#DFF3F8", "#A9DCE8", "#62B8D3", "#2A8BB8", "#15608F", "#0B3A63"]
#: From fewer to more, white where nothing changed; colour-blind people can tell the ends apart, too.
DIFFERENCE_SCALE = ["#A8430A", "#F2B48C", "#FFFFFF", "#9CCBE8", "#0F5C94"]

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
    highest: float | None = None,
    colorbar: str = "",
    max_numbered: int = MAX_NUMBERED,
    selected: tuple[int, int] | None = None,
) -> go.Figure:
    """Draw a square matrix, its first row on top. A selected point's ``customdata`` is ``[row, column]``.

    ``values``, float64 (k, k), colour the cells from 0 to ``highest``, or around 0 where that is None; NaN: no cell.
    ``text`` and ``hover`` (escaped) get a row and a column; a cell without a hover label cannot be clicked.
    """
    k = len(values)
    numbered = k <= max_numbered
    reach = max(float(np.nanmax(np.abs(values))), 1.0) if highest is None else highest
    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        zmin=-reach if highest is None else 0,
        zmax=reach,
        colorscale=DIFFERENCE_SCALE if highest is None else OCEAN_SCALE,
        xgap=2 if numbered else 0,
        ygap=2 if numbered else 0,
        text=[[text(row, column) for column in range(k)] for row in range(k)],
        texttemplate="%{text}" if numbered else "",
        # Without a colour of its own plotly writes dark on light cells and light on dark ones.
        textfont={"size": 14 if k <= 10 else 10},
        hoverinfo="skip",
        hoverongaps=False,
        showscale=bool(colorbar),
        colorbar={"title": {"text": colorbar}, "thickness": 12, "outlinewidth": 0},
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
    figure.update_layout(hovermode="closest", hoverdistance=-1)
    return finish(figure, alt=alt, height=height, zoom=False)
