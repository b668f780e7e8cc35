"""The loss of an answer by how sure it is of the right class, as it should be and with a softmax too many."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.evaluation.metrics import cross_entropy
from aquadash.figures.theme import OUTLINE_COLOUR, RIGHT_COLOUR, WRONG_COLOUR, finish
from aquadash.walkthrough import network


def losses(own: ArrayLike, classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two losses of answers that give the right class these probabilities, (n,), and share the rest evenly."""
    answers = network.even_rest(own, classes)
    zeros = np.zeros(len(answers), dtype=np.int64)
    return cross_entropy(zeros, answers), network.flattened_loss(zeros, answers)


def flattened_loss(own: float, *, classes: int) -> go.Figure:
    """Draw both losses of an answer among ``classes``, and mark the probability ``own`` of the right class, 0 to 1."""
    x = np.linspace(0.01, 1.0, 100)
    right, flat = losses(x, classes)
    figure = go.Figure()
    for name, values, colour, dash in (
        ("Correct: from probabilities", right, RIGHT_COLOUR, "solid"),
        ("Wrong: treated as raw scores", flat, WRONG_COLOUR, "dash"),
    ):
        figure.add_scatter(
            x=100 * x, y=values, name=name, mode="lines", line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate="%{x:.0f} %: %{y:.3f}",
        )  # fmt: skip
    marked = [float(loss[0]) for loss in losses([own], classes)]
    figure.add_scatter(
        x=[100 * own] * 2, y=marked, mode="markers", showlegend=False, hoverinfo="skip",
        marker={"color": [RIGHT_COLOUR, WRONG_COLOUR], "size": 12, "line": {"color": OUTLINE_COLOUR, "width": 2}},
    )  # fmt: skip
    figure.update_xaxes(title="Probability of the right class", ticksuffix=" %", range=[-2, 102])
    figure.update_yaxes(title="Loss", range=[0, 4.8])
    alt = (
        f"Loss by the probability of the right class. At {100 * own:.0f} % the correct loss is {marked[0]:.3f}; "
        f"treated as raw scores it is {marked[1]:.3f}. The wrong line ends at {flat[-1]:.3f}, the other at 0."
    )
    return finish(figure, alt=alt, height=240, zoom=False)
