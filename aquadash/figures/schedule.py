"""The learning rate over the epochs, as a schedule will have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import plotly.graph_objects as go

from aquadash.figures.theme import TRAINING_COLOUR, finish

#: With a higher ratio of peak to median, most of the curve would lie on the floor of a linear axis.
_LOG_RATIO = 10.0


@dataclass(frozen=True)
class LearningRates:
    """The values of the chart."""

    #: Positions in training, ascending from 0; fractions of epochs, too.
    epochs: tuple[float, ...]
    #: The learning rate at each.
    rates: tuple[float, ...]
    #: The greatest rate.
    peak: float
    #: The first epoch that has it.
    peak_epoch: float
    #: Whether a logarithmic axis shows the curve better.
    log: bool
    #: Whether the rate will be cut at epochs that depend on the training.
    cuts: bool = False

    @property
    def sentence(self) -> str:
        """Describe the curve."""
        start, end, last = self.rates[0], self.rates[-1], self.epochs[-1]
        rate = "Without a cut the learning rate" if self.cuts else "The learning rate"
        if min(self.rates) == self.peak:
            return f"{rate} is {self.peak:g} all the time."
        parts = [f"{rate} starts at {start:.3g}"]
        if self.peak > start:
            parts.append(f"rises to {self.peak:.3g} at epoch {self.peak_epoch:.3g}")
        if end < self.peak:
            parts.append(f"falls to {end:.3g} at epoch {last:g}")
        elif self.peak_epoch < last:
            parts.append(f"stays there until epoch {last:g}")
        return f"{', '.join(parts[:-1])} and {parts[-1]}."


def compute(epochs: Sequence[float], rates: Sequence[float], *, cuts: bool = False) -> LearningRates:
    """Return the chart's values; both sequences have the same length and are not empty."""
    peak = max(rates)
    # Tolerance: rounding makes a flat top uneven.
    first = next(index for index, rate in enumerate(rates) if rate >= 0.9999 * peak)
    return LearningRates(tuple(epochs), tuple(rates), peak, epochs[first], peak > _LOG_RATIO * median(rates), cuts)


def learning_rate_curve(epochs: Sequence[float], rates: Sequence[float], *, cuts: bool = False) -> go.Figure:
    """Draw a schedule before anything is trained."""
    values = compute(epochs, rates, cuts=cuts)
    # A logarithmic axis cannot show the 0 that a warm-up starts from.
    shown = [rate if rate > 0 or not values.log else None for rate in values.rates]
    figure = go.Figure()
    figure.add_scatter(
        x=values.epochs,
        y=shown,
        mode="lines",
        line={"color": TRAINING_COLOUR, "width": 2},
        hovertemplate="%{y:.3g}<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="Epoch", range=[0, values.epochs[-1]], unifiedhovertitle={"text": "Epoch %{x:.1f}"})
    figure.update_yaxes(
        title="Learning rate",
        type="log" if values.log else "linear",
        # "0.001" and "1e-5" instead of "1m" and "10µ".
        tickformat="~g",
        rangemode="normal" if values.log else "tozero",
    )
    if values.log:
        figure.update_yaxes(dtick=1)
    figure.update_layout(hovermode="x unified", margin={"t": 12})
    alt = values.sentence + (" The axis is logarithmic." if values.log else "")
    return finish(figure, alt=alt, height=220)
