"""A confusion matrix small enough to stand beside nine others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from aquadash.figures.confusion_matrix import OCEAN_SCALE, listed_confusions, shares_by_row
from aquadash.figures.theme import class_emoji, class_label, escape, finish, percent, shorten

#: With more classes a number no longer fits its small cell.
_MAX_NUMBERED = 6
#: With more classes only every second, third ... one is named.
_MAX_NAMED = 12

#: In pixels.
_HEIGHT = 250


def small_confusion(matrix: ArrayLike, *, class_names: Sequence[str], name: str) -> go.Figure:
    """Draw shares of the true class, always from 0 to 100 %, so that matrices beside one another can be compared.

    Args:
        matrix: Counts of at least one image, shape (k, k), k up to 100; rows are true classes, columns predicted ones.
        class_names: k names.
        name: The run's, for the text alternative.
    """
    counts = np.asarray(matrix, dtype=np.int64)
    k = len(counts)
    fractions = 100 * shares_by_row(counts)
    labels = [class_label(each) for each in class_names]
    figure = go.Figure()
    figure.add_heatmap(
        z=fractions, zmin=0, zmax=100, colorscale=OCEAN_SCALE, showscale=False,
        xgap=1 if k <= _MAX_NUMBERED else 0, ygap=1 if k <= _MAX_NUMBERED else 0,
        text=[[f"{value:.0f}" for value in row] for row in fractions],
        texttemplate="%{text}" if k <= _MAX_NUMBERED else "", textfont={"size": 12},
        customdata=[
            [
                f"True: {labels[row]}<br>Predicted: {labels[column]}<br>{counts[row, column]} of "
                f"{counts[row].sum()} images, {fractions[row, column]:.1f} %"
                for column in range(k)
            ]
            for row in range(k)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    shown = list(range(0, k, -(-k // _MAX_NAMED)))
    ticks = [class_emoji(class_names[index]) or escape(shorten(class_names[index], length=9)) for index in shown]
    axis = {"tickvals": shown, "ticktext": ticks, "fixedrange": True, "showgrid": False, "tickfont": {"size": 14}}
    figure.update_xaxes(axis, range=[-0.5, k - 0.5], tickangle=0 if all(map(class_emoji, class_names)) else -60)
    figure.update_yaxes(axis, range=[k - 0.5, -0.5])
    figure.update_layout(dragmode=False, margin={"t": 6, "l": 4, "r": 4, "b": 4})
    right = int(counts.trace()) / int(counts.sum())
    mistakes = listed_confusions(counts, class_names)
    ending = f" Most frequent mistakes: {mistakes}." if mistakes else ""
    alt = f"Confusion matrix of {shorten(name)} in per cent of each true class: {percent(right)} right.{ending}"
    return finish(figure, alt=alt, height=_HEIGHT)
