"""Confidence against accuracy: are answers given with 80 % right in 80 % of cases?"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from aquadash.evaluation.calibration import Calibration
from aquadash.figures.theme import (
    OUTLINE_COLOUR,
    RIGHT_COLOUR,
    RUN_COLOURS,
    SELECTED_COLOUR,
    escape,
    finish,
    listed,
    percent,
    run_dash,
    shorten,
)


def reliability_diagram(
    calibration: Calibration, *, lines: Sequence[tuple[str, Calibration]] = (), selected: int | None = None
) -> go.Figure:
    """Draw a bar a bin of confidence, as high as the share of right answers, and the diagonal of perfect calibration.

    A dot on each bar marks its mean confidence, to compare with the diagonal. The ``customdata`` of bars, dots and the
    lines' points is ``[bin]``.

    Args:
        calibration: Drawn as bars.
        lines: Drawn over them, by name: with a temperature, or of another run. All have the same bins.
        selected: A bin to frame.
    """
    filled = np.flatnonzero(calibration.counts)
    low, high = 100 * calibration.edges[:-1], 100 * calibration.edges[1:]
    points = {
        "customdata": [[int(index)] for index in filled],
        "hovertext": [_hover(calibration, int(index)) for index in filled],
        "hoverinfo": "text",
    }
    figure = go.Figure()
    figure.add_bar(
        x=(low + high)[filled] / 2,
        y=100 * calibration.accuracy[filled],
        width=0.92 * (high - low)[filled],
        name="Model",
        marker={
            "color": RIGHT_COLOUR,
            # Bars of few images are pale, because their height is uncertain.
            "opacity": [0.45 if calibration.counts[index] < 10 else 0.95 for index in filled],
            "line": {
                "color": [SELECTED_COLOUR if index == selected else OUTLINE_COLOUR for index in filled],
                "width": [4 if index == selected else 0.5 for index in filled],
            },
        },
        **points,
    )
    figure.add_scatter(
        x=100 * calibration.confidence[filled],
        y=100 * calibration.accuracy[filled],
        mode="markers",
        marker={"color": "white", "size": 9, "line": {"color": RIGHT_COLOUR, "width": 2}},
        showlegend=False,
        **points,
    )
    for number, (name, other) in enumerate(lines):
        with_images = np.flatnonzero(other.counts)
        colour = RUN_COLOURS[(number + 1) % len(RUN_COLOURS)]
        figure.add_scatter(
            x=100 * other.confidence[with_images],
            y=100 * other.accuracy[with_images],
            mode="lines+markers",
            name=escape(shorten(name)),
            line={"color": colour, "width": 2, "dash": run_dash(number)},
            marker={"color": colour, "size": 8, "symbol": ("diamond", "square", "circle")[number % 3]},
            customdata=[[int(index)] for index in with_images],
            hovertext=[f"{escape(shorten(name))}<br>{_hover(other, int(index))}" for index in with_images],
            hoverinfo="text",
        )
    figure.add_scatter(
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        name="Perfect calibration",
        line={"color": OUTLINE_COLOUR, "dash": "dot", "width": 2},
        hoverinfo="skip",
    )
    axis = {"range": [0, 101], "ticksuffix": " %"}
    figure.update_xaxes(axis, title="Confidence in the predicted class")
    figure.update_yaxes(axis, title="Share of answers that are right")
    figure.update_layout(hovermode="closest", bargap=0)
    return finish(figure, alt=_alt(calibration, lines), height=400, zoom=False)


def _hover(calibration: Calibration, index: int) -> str:
    count = int(calibration.counts[index])
    return (
        f"Confidence {100 * calibration.edges[index]:.0f} to {100 * calibration.edges[index + 1]:.0f} %: {count} "
        f"image{'' if count == 1 else 's'}<br>{100 * calibration.confidence[index]:.0f} % confidence on average, "
        f"{100 * calibration.accuracy[index]:.0f} % right"
    )


def _alt(calibration: Calibration, lines: Sequence[tuple[str, Calibration]]) -> str:
    gap = calibration.mean_confidence - calibration.mean_accuracy
    side = "too sure" if gap > 0 else "not sure enough"
    text = (
        f"Confidence against accuracy of {calibration.n} images: {percent(calibration.mean_confidence)} sure on "
        f"average and {percent(calibration.mean_accuracy)} right, so {side} by {abs(100 * gap):.1f} points; expected "
        f"calibration error {100 * calibration.ece:.1f} points."
    )
    if lines:
        described = [f"{shorten(name)} {100 * other.ece:.1f}" for name, other in lines]
        text += f" Overlaid, with their calibration errors in points: {listed(described)}."
    return text
