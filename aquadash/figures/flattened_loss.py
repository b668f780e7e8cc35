"""The loss of an answer by how sure it is of the right class, as it should be and with a softmax too many."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from aquadash.figures.theme import OUTLINE_COLOUR, RIGHT_COLOUR, WRONG_COLOUR, finish
from aquadash.walkthrough.logits import cross_entropy, even_rest, flattened


def losses(share: float, classes: int) -> tuple[float, float]:
    """The two losses of an answer that gives the right class this probability, 0 to 1, and shares the rest evenly."""
    answer = even_rest([share], classes)
    return float(cross_entropy(answer, [0])[0]), float(cross_entropy(flattened(answer), [0])[0])


def flattened_loss(share: float, *, classes: int) -> go.Figure:
    """Draw both losses and mark an answer.

    Args:
        share: The probability of the right class that is marked, 0 to 1.
        classes: How many there are, at least 2.
    """
    x = np.linspace(0.01, 1.0, 100)
    answers = even_rest(x, classes)
    zeros = np.zeros(len(x), dtype=np.int64)
    right, flat = cross_entropy(answers, zeros), cross_entropy(flattened(answers), zeros)
    figure = go.Figure()
    for name, values, colour, dash in (
        ("Right: from probabilities", right, RIGHT_COLOUR, "solid"),
        ("Taken for raw scores", flat, WRONG_COLOUR, "dash"),
    ):
        figure.add_scatter(
            x=100 * x, y=values, name=name, mode="lines", line={"color": colour, "width": 2.5, "dash": dash},
            hovertemplate="%{x:.0f} %: %{y:.3f}",
        )  # fmt: skip
    own = losses(share, classes)
    figure.add_scatter(
        x=[100 * share] * 2, y=list(own), mode="markers", showlegend=False, hoverinfo="skip",
        marker={"color": [RIGHT_COLOUR, WRONG_COLOUR], "size": 12, "line": {"color": OUTLINE_COLOUR, "width": 2}},
    )  # fmt: skip
    figure.update_xaxes(title="Probability of the right class", ticksuffix=" %", range=[-2, 102], fixedrange=True)
    figure.update_yaxes(title="Loss", range=[0, 4.8], fixedrange=True)
    figure.update_layout(dragmode=False)
    alt = (
        f"Loss by the probability of the right class. At {100 * share:.0f} % the right loss is {own[0]:.3f}; taken for "
        f"raw scores it is {own[1]:.3f}. The second line is flat and ends at {float(flat[-1]):.3f}, the first at 0."
    )
    return finish(figure, alt=alt, height=320)
