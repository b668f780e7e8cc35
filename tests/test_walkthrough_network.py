"""The checks of the walkthrough's sections on the network."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aquadash.figures.flattened_loss import flattened_loss, losses
from aquadash.figures.theme import alt_text
from aquadash.walkthrough import Outcome, checks_network, network, report

IMAGE = np.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype(np.uint8)
PAIR = ("upright edges", "level edges")


@pytest.mark.parametrize(
    ("activation", "pooling", "outcome"),
    [
        ("none", "none", Outcome.RIGHT), ("none", "max", Outcome.NEARLY), ("relu", "none", Outcome.NEARLY),
        ("relu", "max", Outcome.WRONG),
    ],
)  # fmt: skip
def test_when_two_convolutions_are_one(activation: str, pooling: str, outcome: Outcome) -> None:
    found = network.two_layers(IMAGE, filters=PAIR, activation=activation, pooling=pooling)
    assert found.first.shape == (16, 16) and found.second.shape == found.single.shape == (8, 8)
    assert checks_network.one_convolution(activation, pooling, found.difference).outcome is outcome


def test_a_difference_of_nothing_by_luck_is_not_enough() -> None:
    flat = np.full((32, 32, 3), 90, np.uint8)
    found = network.two_layers(flat, filters=("blur", "blur"), activation="relu", pooling="max")
    assert found.difference < checks_network.SAME
    assert checks_network.one_convolution("relu", "max", found.difference).outcome is Outcome.NEARLY
    assert checks_network.one_convolution("none", "none", math.nan).outcome is Outcome.WRONG


@pytest.mark.parametrize("side", [5, 31, 32])
def test_two_linear_convolutions_are_one_at_any_size(side: int) -> None:
    image = np.random.default_rng(side).integers(0, 256, (side, side + 1, 3)).astype(np.uint8)
    first = network.two_layers(image, filters=PAIR, activation="none", pooling="none")
    rows, columns = (math.ceil(length / 2) for length in image.shape[:2])
    assert first.first.shape == (rows, columns)
    height = min(first.second.shape[0], first.single.shape[0])
    assert first.second.shape == first.single.shape and first.difference < 1e-12 and height >= 1


def test_pictures_of_outputs_have_grey_for_0() -> None:
    picture = network.as_picture(np.array([[0.0, 2.0], [-2.0, 1.0]]))
    assert picture[:, :, 0].tolist() == [[128, 255], [0, 191]]


def test_parameters_are_the_report_s() -> None:
    found = network.parameters((32, 32, 3), classes=5, units=(256, 128))
    assert list(found.values()) == [416, 8256, 1_048_832, 32_896, 645]
    assert sum(found.values()) == report.PARAMETERS


@pytest.mark.slow
def test_parameters_are_those_that_keras_counts() -> None:
    from aquadash.config import RunConfig
    from aquadash.models import build

    for shape, classes in (((32, 32, 3), 5), ((21, 30, 3), 7)):
        built = build(RunConfig().model, image_shape=shape, num_classes=classes)
        found = network.parameters(shape, classes=classes, units=(256, 128))
        assert sum(found.values()) == built.count_params()


@pytest.mark.parametrize(
    ("first", "outcome"),
    [(128, Outcome.RIGHT), (112, Outcome.NEARLY), (144, Outcome.NEARLY), (256, Outcome.WRONG), (16, Outcome.WRONG)],
)
def test_half_the_network(first: int, outcome: Outcome) -> None:
    params = sum(network.parameters((32, 32, 3), classes=5, units=(first, 128)).values())
    assert checks_network.half_the_network(params, report.PARAMETERS).outcome is outcome


def test_half_of_nothing_is_no_network() -> None:
    assert checks_network.half_the_network(0, report.PARAMETERS).outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("0.905", Outcome.RIGHT), ("0,9", Outcome.RIGHT), ("0.91", Outcome.RIGHT), ("0.92", Outcome.NEARLY),
        ("1.609", Outcome.WRONG), ("0", Outcome.WRONG), ("", Outcome.WRONG), ("zero", Outcome.WRONG),
        ("-0.905", Outcome.WRONG),
    ],
)  # fmt: skip
def test_the_floor_of_the_loss(text: str, outcome: Outcome) -> None:
    assert checks_network.floor_of_loss(text, classes=5).outcome is outcome


def test_the_flattened_loss_never_falls_below_its_floor() -> None:
    shares = np.random.default_rng(0).dirichlet(np.full(5, 0.2), size=500)
    found = network.flattened_loss(shares.argmax(axis=1), shares)
    assert found.min() >= network.lowest_flattened_loss(5) == pytest.approx(0.9048, abs=1e-4)
    right, flat = losses([0.2, 1.0], 5)
    assert right == pytest.approx([math.log(5), 0.0], abs=1e-6)
    assert flat == pytest.approx([math.log(5), network.lowest_flattened_loss(5)])
    assert "0.905" in alt_text(flattened_loss(0.5, classes=5))


@pytest.mark.parametrize(
    ("patience", "outcome"),
    [
        (5, Outcome.RIGHT), (4, Outcome.NEARLY), (3, Outcome.WRONG), (1, Outcome.WRONG), (6, Outcome.WRONG),
        (0, Outcome.WRONG), (-3, Outcome.WRONG),
    ],
)  # fmt: skip
def test_the_log_s_patience(patience: int, outcome: Outcome) -> None:
    assert checks_network.log_patience(patience).outcome is outcome


def test_when_the_report_s_training_would_have_stopped() -> None:
    found = {patience: checks_network.stopping_epoch(report.LOG, patience=patience) for patience in (1, 3, 5, 6)}
    assert found == {1: (3, 2), 3: (5, 2), 5: (7, 2), 6: (None, 2)}
