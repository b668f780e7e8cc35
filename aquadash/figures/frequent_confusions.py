"""The most frequent confusions of a run, each a bar that reports clicks."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from aquadash.figures.confusion_matrix import largest_confusions
from aquadash.figures.theme import WRONG_COLOUR, class_label, finish, listed, rows_axis, shorten

#: Number of confusions that are drawn.
MOST = 10
#: Height of a bar with its gap, and of axis and margins, in pixels.
_ROW, _FRAME = 26, 64


def frequent_confusions(matrix: ArrayLike, *, class_names: Sequence[str]) -> go.Figure:
    """Draw a bar a pair of classes, the most frequent on top; ``customdata`` is ``[true index, predicted index]``.

    Args:
        matrix: Counts, shape (k, k); rows are true classes, columns predicted ones.
    """
    confusions = largest_confusions(matrix, most=MOST)
    sizes = np.asarray(matrix, dtype=np.int64).sum(axis=1)
    rows = range(len(confusions))
    figure = go.Figure()
    figure.add_bar(
        x=[number for *_, number in confusions],
        y=list(rows),
        orientation="h",
        customdata=[[true, predicted] for true, predicted, _ in confusions],
        marker={"color": WRONG_COLOUR},
        text=[f"{number:,}" for *_, number in confusions],
        textposition="outside",
        cliponaxis=False,
        hovertext=[
            f"True: {class_label(class_names[true])}<br>Predicted: {class_label(class_names[predicted])}"
            f"<br>Images: {number:,} of {sizes[true]:,}"
            for true, predicted, number in confusions
        ],
        hoverinfo="text",
    )
    short = [class_label(shorten(name, length=16)) for name in class_names]
    figure.update_yaxes(rows_axis([f"{short[true]} → {short[predicted]}" for true, predicted, _ in confusions]))
    figure.update_xaxes(title="Images", rangemode="tozero").update_layout(margin={"t": 8})
    described = [
        f"{shorten(class_names[true])} taken for {shorten(class_names[predicted])} {number}"
        for true, predicted, number in confusions
    ]
    alt = f"The most frequent confusions, in images: {listed(described, most=MOST)}."
    return finish(figure, alt=alt, height=_FRAME + _ROW * len(confusions), zoom=False)
