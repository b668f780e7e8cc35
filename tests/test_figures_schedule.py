"""The learning rate's curve and its words."""

from __future__ import annotations

from functools import partial

from aquadash.config import RunConfig, with_values
from aquadash.figures import theme
from aquadash.figures.schedule import compute, learning_rate_curve
from aquadash.training.schedules import SCHEDULES, preview


def rates(**changes: object) -> tuple[list[float], list[float]]:
    values = {f"training.{name}": value for name, value in changes.items()}
    return preview(with_values(RunConfig(), values).training)


FIGURES = {name: partial(learning_rate_curve, *rates(schedule=name, warmup_epochs=5)) for name in SCHEDULES}


def test_the_axis_is_logarithmic_where_a_linear_one_shows_nothing() -> None:
    assert compute(*rates(schedule="exponential")).log
    assert not compute(*rates(schedule="one_cycle")).log
    assert not compute(*rates(schedule="step", epochs=20)).log
    figure = learning_rate_curve(*rates(schedule="exponential", warmup_epochs=2))
    assert figure.layout.yaxis.type == "log"
    assert figure.data[0].y[0] is None  # Zero, where the warm-up begins.
    assert "logarithmic" in theme.alt_text(figure)
