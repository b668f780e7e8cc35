"""Charts of a matrix: coloured cells with numbers, which report clicks and can have a frame."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aquadash.figures.theme import SELECTED_COLOUR, finish

#: Colour scale from -1 (mistakes, or worse) to 1 (right answers, or better). It leaves out the shades at -0.6 and 0.6,
#: on which Plotly's dark grey or white numbers would have less contrast than 4.5:1. Opaque: equal in both themes.
_STOPS = (0.0, 0.2, 0.2, 0.4995, 0.4995, 0.5005, 0.5005, 0.8, 0.8, 1.0)
_COLOURS = "#7A2A04 #B5460B #F4A97B #FDE9DC #EDF1F4 #EDF1F4 #E0EDF7 #96C4E3 #15608F #0B3A63"
SHADES = list(zip(_STOPS, _COLOURS.split(), strict=True))

#: Background, which cells without a value show.
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

    Args:
        values: Float64 (k, k) from -1 to 1; :data:`SHADES` colour the cells, NaN leaves one without a colour.
        text: Returns the number in a cell of this row and column.
        hover: Returns the cell's hover label, escaped; a cell with an empty one cannot be clicked.
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
        # No colour: Plotly writes dark numbers on light cells and light ones on dark cells.
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
