"""How sure the model is when it is right and when it is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from aquadash.figures.theme import OUTLINE_COLOUR, RIGHT_COLOUR, WRONG_COLOUR, empty_figure, finish, percent


@dataclass(frozen=True, eq=False)
class ConfidenceCounts:
    """The values of the chart.

    Attributes:
        edges: float64 (bins + 1,), confidence from 0 to 1. The last bin holds its upper edge, too.
        right: int64 (bins,), images named rightly with this confidence.
        wrong: int64 (bins,), images named wrongly.
        mean_right: Mean confidence of the right ones, None when there are none.
        mean_wrong: Likewise of the wrong ones.
    """

    edges: NDArray[np.float64]
    right: NDArray[np.int64]
    wrong: NDArray[np.int64]
    mean_right: float | None
    mean_wrong: float | None


def compute(labels: ArrayLike, probabilities: ArrayLike, *, bins: int = 10) -> ConfidenceCounts:
    """Count right and wrong predictions by confidence.

    Args:
        labels: Integers, shape (n,).
        probabilities: Shape (n, classes), rows sum to 1.
        bins: How many intervals of equal width between 0 and 1.
    """
    y_true, y_prob = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    confident, right = y_prob.max(axis=1), y_prob.argmax(axis=1) == y_true
    # A softmax in single precision may give 1.0000001.
    confident = confident.clip(0, 1)
    edges = np.linspace(0, 1, bins + 1, dtype=np.float64)
    return ConfidenceCounts(
        edges=edges,
        right=np.histogram(confident[right], edges)[0],
        wrong=np.histogram(confident[~right], edges)[0],
        mean_right=float(confident[right].mean()) if right.any() else None,
        mean_wrong=float(confident[~right].mean()) if not right.all() else None,
    )


def confidence_histogram(labels: ArrayLike, probabilities: ArrayLike, *, height: int = 320) -> go.Figure:
    """Draw the counts of :func:`compute` as stacked bars; arguments as there, height in pixels."""
    if not np.asarray(labels).size:
        return empty_figure("The model's confidence appears here once it has predicted the test images.", height=height)
    counts = compute(labels, probabilities)
    edges = 100 * counts.edges
    figure = go.Figure()
    for name, values, colour, pattern in (
        ("Right", counts.right, RIGHT_COLOUR, ""),
        ("Wrong", counts.wrong, WRONG_COLOUR, "/"),
    ):
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=values,
            width=0.94 * np.diff(edges),
            name=name,
            marker={
                "color": colour,
                "line": {"color": OUTLINE_COLOUR, "width": 0.5},
                "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "rgba(255, 255, 255, 0.7)", "size": 6},
            },
            hovertext=[
                f"{name}: {value} image{'' if value == 1 else 's'} with {low:.0f} to {high:.0f} % confidence"
                for value, low, high in zip(values, edges[:-1], edges[1:], strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_xaxes(title="Confidence in the predicted class", range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(title="Images")
    figure.update_layout(barmode="stack", bargap=0, legend={"traceorder": "normal"})
    return finish(figure, alt=_alt(counts), height=height)


def _alt(counts: ConfidenceCounts) -> str:
    parts = [
        f"{int(values.sum())} {name} with {percent(mean)} confidence on average"
        for name, values, mean in (
            ("right", counts.right, counts.mean_right),
            ("wrong", counts.wrong, counts.mean_wrong),
        )
        if mean is not None
    ]
    return f"How confident the model is in its predictions: {'; '.join(parts)}."
