"""The confidence of right and of wrong predictions."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from aquadash.figures.theme import OUTLINE_COLOUR, RIGHT_COLOUR, WRONG_COLOUR, finish, percent

#: Number of bins of equal width.
_BINS = 10


def confidence_histogram(labels: ArrayLike, probabilities: ArrayLike) -> go.Figure:
    """Draw stacked bars of the right and the wrong predictions by their confidence."""
    y_true, y_prob = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    # A softmax in single precision may give 1.0000001.
    confident, right = y_prob.max(axis=1).clip(0, 1), y_prob.argmax(axis=1) == y_true
    edges = np.linspace(0, 1, _BINS + 1)
    low, high = 100 * edges[:-1], 100 * edges[1:]
    figure = go.Figure()
    described = []
    for name, values, colour, pattern in (
        ("Right", confident[right], RIGHT_COLOUR, ""),
        ("Wrong", confident[~right], WRONG_COLOUR, "/"),
    ):
        counts = np.histogram(values, edges)[0]
        figure.add_bar(
            x=(low + high) / 2,
            y=counts,
            width=0.94 * (high - low),
            name=name,
            marker={
                "color": colour,
                "line": {"color": OUTLINE_COLOUR, "width": 0.5},
                "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.7)", "size": 6},
            },
            hovertext=[
                f"{name}: {count} image{'' if count == 1 else 's'} with {start:.0f} to {end:.0f} % confidence"
                for count, start, end in zip(counts, low, high, strict=True)
            ],
            hoverinfo="text",
        )
        if len(values):
            described.append(f"{len(values)} {name.lower()} with {percent(values.mean())} confidence on average")
    figure.update_xaxes(title="Confidence in the predicted class", range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(title="Images")
    figure.update_layout(barmode="stack", bargap=0, legend={"traceorder": "normal"})
    return finish(figure, alt=f"How confident the model is in its predictions: {'; '.join(described)}.", height=280)
