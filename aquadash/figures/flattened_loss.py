"""The loss of an answer by its probability of the right class: correct, and with one softmax too many."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import cross_entropy
from aquadash.figures.theme import OUTLINE_COLOUR, RIGHT_COLOUR, WRONG_COLOUR, finish
from aquadash.walkthrough import network


def losses(own: ArrayLike, classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both losses of answers with these probabilities of the right class, (n,), and equal ones of the others."""
    answers = network.even_rest(own, classes)
    zeros = np.zeros(len(answers), dtype=np.int64)
    return cross_entropy(zeros, answers), network.flattened_loss(zeros, answers)


def flattened_loss(own: float, *, classes: int) -> go.Figure:
    """Draw both losses of an answer among ``classes``, and mark the probability ``own`` of the right class, 0 to 1."""
    x = np.linspace(0.01, 1.0, 100)
    curves = losses(x, classes)
    marked = [float(loss[0]) for loss in losses([own], classes)]
    names = ("Correct: from probabilities", "Wrong: treated as raw scores")
    figure = go.Figure()
    for values, mark, name, colour, dash in zip(
        curves, marked, names, (RIGHT_COLOUR, WRONG_COLOUR), ("solid", "dash"), strict=True
    ):
        line = {"color": colour, "width": 2.5, "dash": dash}
        figure.add_scatter(
            x=100 * x, y=values, name=name, mode="lines", line=line, hovertemplate="%{x:.0f} %: %{y:.3f}"
        )
        marker = {"color": colour, "size": 12, "line": {"color": OUTLINE_COLOUR, "width": 2}}
        figure.add_scatter(x=[100 * own], y=[mark], mode="markers", marker=marker, showlegend=False, hoverinfo="skip")
    figure.update_xaxes(title="Probability of the right class", ticksuffix=" %", range=[-2, 102])
    figure.update_yaxes(title="Loss", range=[0, 4.8])
    alt = (
        f"Loss by the probability of the right class. At {100 * own:.0f} % the correct loss is {marked[0]:.3f}; "
        f"treated as raw scores it is {marked[1]:.3f}. The wrong line ends at {curves[1][-1]:.3f}, the other at 0."
    )
    return finish(figure, alt=alt, height=240, zoom=False)
