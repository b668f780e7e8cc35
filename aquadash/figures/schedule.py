"""The learning rate that a schedule sets at each epoch."""

from collections.abc import Sequence
from statistics import median

import plotly.graph_objects as go

from aquadash.figures.theme import TRAINING_COLOUR, finish

#: Ratio of peak to median from which the axis is logarithmic: a linear one would show most of the curve at 0.
_LOG_RATIO = 10.0


def describe_rates(epochs: Sequence[float], rates: Sequence[float], *, cuts: bool = False) -> str:
    """Describe the rates by epoch in a sentence; with ``cuts`` the training will lower them further."""
    start, end, last, peak = rates[0], rates[-1], epochs[-1], max(rates)
    subject = "Without a cut the learning rate" if cuts else "The learning rate"
    if min(rates) == peak:
        return f"{subject} is {peak:g} all the time."
    # Tolerance: rounding makes a flat top uneven.
    peak_epoch = next(epoch for epoch, rate in zip(epochs, rates, strict=True) if rate >= 0.9999 * peak)
    parts = [f"{subject} starts at {start:.3g}"]
    if peak > start:
        parts.append(f"rises to {peak:.3g} at epoch {peak_epoch:.3g}")
    if end < peak:
        parts.append(f"falls to {end:.3g} at epoch {last:g}")
    elif peak_epoch < last:
        parts.append(f"stays there until epoch {last:g}")
    return f"{', '.join(parts[:-1])} and {parts[-1]}."


def learning_rate_curve(epochs: Sequence[float], rates: Sequence[float], *, cuts: bool = False) -> go.Figure:
    """Draw a schedule before anything is trained."""
    is_log = max(rates) > _LOG_RATIO * median(rates)
    # A logarithmic axis cannot show the 0 that a warm-up starts from.
    shown = [rate if rate > 0 or not is_log else None for rate in rates]
    figure = go.Figure()
    figure.add_scatter(
        x=epochs,
        y=shown,
        mode="lines",
        line={"color": TRAINING_COLOUR, "width": 2},
        hovertemplate="%{y:.3g}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="Epoch", range=[0, epochs[-1]], unifiedhovertitle={"text": "Epoch %{x:.1f}"})
    figure.update_yaxes(
        title="Learning rate",
        # "0.001" and "1e-5" instead of "1m" and "10µ".
        tickformat="~g",
        **({"type": "log", "dtick": 1} if is_log else {"rangemode": "tozero"}),
    )
    figure.update_layout(hovermode="x unified", margin={"t": 12})
    alt = describe_rates(epochs, rates, cuts=cuts) + (" The axis is logarithmic." if is_log else "")
    return finish(figure, alt=alt, height=220)
