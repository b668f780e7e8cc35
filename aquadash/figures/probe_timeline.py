"""The probability of the true class, image by image and epoch by epoch."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from aquadash.figures.theme import OUTLINE_COLOUR, class_label, epoch_axis, finish, hover_name, rows_axis

#: Width of the pictures as a fraction of the chart's.
_PICTURES = 0.1


def probe_timeline(
    probabilities: ArrayLike, labels: ArrayLike, *, class_names: Sequence[str], epoch: int, pictures: Sequence[str] = ()
) -> go.Figure:
    """Draw a row for each image and a column for each epoch, lighter where the true class is more probable.

    Before each row stands its picture, a data URL.
    """
    y_prob, y_true = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    epochs, images, _ = y_prob.shape
    y_pred = y_prob.argmax(axis=2)
    right = y_pred == y_true
    figure = go.Figure()
    figure.add_heatmap(
        z=100 * y_prob[:, np.arange(images), y_true].T,
        x=list(range(1, epochs + 1)),
        y=list(range(images)),
        zmin=0,
        zmax=100,
        # Perceptually uniform, for colour-blind people, too (Nuñez, Anderton & Renslow 2018).
        colorscale="Cividis",
        xgap=1 if epochs <= 60 else 0,
        ygap=1,
        customdata=[[hover_name(class_names[y_pred[e, i]]) for e in range(epochs)] for i in range(images)],
        hovertemplate="Epoch %{x}: %{z:.0f} % for the true class<br>answer: %{customdata}<extra></extra>",
        colorbar={"title": {"text": "% for the<br>true class"}, "thickness": 12, "outlinewidth": 0},
    )
    figure.add_vrect(x0=epoch - 0.5, x1=epoch + 0.5, line={"color": OUTLINE_COLOUR, "width": 2}, fillcolor=None)
    figure.update_xaxes(epoch_axis(epochs) | {"range": [0.5, epochs + 0.5]})
    figure.update_yaxes(rows_axis([class_label(class_names[label]) for label in y_true]))
    figure.update_layout(hovermode="closest", margin={"t": 8})
    if pictures:
        # The names stand at the left edge, the pictures between them and the cells.
        figure.update_xaxes(domain=[_PICTURES, 1]).update_yaxes(anchor="free", position=0)
        place = {"xref": "paper", "yref": "y", "x": _PICTURES / 2, "xanchor": "center", "yanchor": "middle"}
        for row, picture in enumerate(pictures):
            figure.add_layout_image(source=picture, y=row, sizex=_PICTURES, sizey=0.95, **place)
    alt = (
        f"The probability of the true class for {images} validation images over {epochs} epochs. "
        f"After the first epoch {int(right[0].sum())} were classified correctly, after the last {int(right[-1].sum())}."
    )
    return finish(figure, alt=alt, height=110 + 28 * images, zoom=False)
