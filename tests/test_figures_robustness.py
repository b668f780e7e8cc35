"""The robustness charts: their values, their order, their text alternatives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from aquadash.figures import robustness_losses as losses
from aquadash.figures.robustness_curves import robustness_curves, severity_curve
from aquadash.figures.robustness_losses import robustness_losses
from aquadash.robustness.corruptions import CORRUPTIONS
from aquadash.robustness.measurement import Mean, Measurement
from tests.robust_runs import made_up_result
from tests.test_figures_charts import EVIL

GOOD, BAD = made_up_result(fingerprint="f", skill=0.8), made_up_result(fingerprint="f", skill=0.6)
PART = made_up_result(fingerprint="f", cells=20)
NOTHING = dataclasses.replace(GOOD, scores={})


def curves(*runs: tuple[str, Measurement | None], corruption: str | None = None) -> go.Figure:
    return robustness_curves(runs, corruption=corruption, chance=0.2)


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "curves": lambda: curves(("a", GOOD)),
    "curves of four": lambda: curves(("a", GOOD), (EVIL, BAD), ("c", None), ("d", PART), corruption="snow"),
    "losses": lambda: robustness_losses([("a", GOOD)]),
    "losses of three": lambda: robustness_losses([("a", PART), (EVIL, BAD), ("c", None)]),
    "losses to pipelines": lambda: robustness_losses([(EVIL, GOOD), ("b", BAD)], kind="pipelines"),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "curves": lambda: curves(),
    "curves of nothing": lambda: curves(("a", NOTHING), corruption="fog"),
    "losses": lambda: robustness_losses([]),
    "losses to pipelines": lambda: robustness_losses([("a", PART)], kind="pipelines"),
}


def test_a_curve_holds_the_accuracies_and_their_intervals() -> None:
    curve = severity_curve(GOOD, corruption="fog")
    assert list(curve) == [0, 1, 2, 3, 4, 5]
    assert curve[0].value == GOOD.clean.accuracy
    fog = GOOD.curve("corruption", "fog")[3]
    assert curve[3] == Mean(fog.accuracy, fog.accuracy_ci95)
    mean = severity_curve(GOOD, corruption=None)
    assert mean[5].value == pytest.approx(np.mean([GOOD.curve("corruption", name)[5].accuracy for name in CORRUPTIONS]))
    assert not severity_curve(NOTHING, corruption=None)


def test_losses_are_sorted_by_the_first_run() -> None:
    rows = losses.compute([None, GOOD], kind="corruptions")
    values = [row.losses[1].value for row in rows if row.losses[1]]
    assert len(values) == 15 and values == sorted(values, reverse=True)
    assert rows[0].label == "JPEG" and rows[0].losses[0] is None
