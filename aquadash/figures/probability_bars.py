"""What the model thinks of one image: a bar for each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    class_colour,
    class_label,
    empty_figure,
    finish,
    hover_name,
    percent,
    rows_axis,
    shorten,
)

#: With more classes only the most probable ones (and the true one) are shown.
MAX_BARS = 12

_TICKS = [0, 25, 50, 75, 100]


def shown_classes(probabilities: ArrayLike, *, true_class: int | None = None, most: int = MAX_BARS) -> list[int]:
    """Which classes get a bar, in class order: all of them, or the ``most`` probable and the true one."""
    probs = np.asarray(probabilities, dtype=np.float64)
    top = {int(index) for index in np.argsort(-probs, kind="stable")[:most]}
    return sorted(top | ({true_class} if true_class is not None else set()))


def probability_bars(
    probabilities: ArrayLike, *, class_names: Sequence[str], true_class: int | None = None
) -> go.Figure:
    """Draw one image's probabilities.

    Args:
        probabilities: Shape (classes,), 0 to 1.
        class_names: One name a class.
        true_class: The right answer, where it is known; its bar is framed and its name carries a tick mark.
    """
    probs = np.asarray(probabilities, dtype=np.float64)
    if not probs.size:
        return empty_figure("Pick an image to see how probable each class is.", height=200)
    shown = shown_classes(probs, true_class=true_class)
    names = [class_names[index] for index in shown]
    ticks = [
        f"<b>{class_label(name)} ✓</b>" if index == true_class else class_label(name)
        for index, name in zip(shown, names, strict=True)
    ]
    figure = go.Figure(
        go.Bar(
            x=100 * probs[shown],
            y=list(range(len(shown))),
            orientation="h",
            marker={
                "color": [class_colour(name, index) for index, name in zip(shown, names, strict=True)],
                "line": {"color": OUTLINE_COLOUR, "width": [3 if index == true_class else 1 for index in shown]},
            },
            text=[percent(prob) for prob in probs[shown]],
            textposition="outside",
            cliponaxis=False,
            hovertext=[
                f"{hover_name(name)}: {100 * probs[index]:.2f} %" for index, name in zip(shown, names, strict=True)
            ],
            hoverinfo="text",
        )
    )
    # Room for the label of a bar that reaches 100 %.
    figure.update_xaxes(
        range=[0, 118], tickvals=_TICKS, ticktext=[f"{tick} %" for tick in _TICKS], fixedrange=True, showgrid=True
    )
    figure.update_yaxes(rows_axis(ticks))
    figure.update_layout(dragmode=False, margin={"t": 8}, bargap=0.25, showlegend=False)
    best = int(probs.argmax())
    alt = f"The model takes this image for {shorten(class_names[best])} with {percent(probs[best])}"
    if true_class is not None:
        truth = f"{shorten(class_names[true_class])} with {percent(probs[true_class])}"
        alt += ", which is right" if best == true_class else f"; it is {truth}"
    return finish(figure, alt=f"{alt}.", height=64 + 32 * len(shown))
