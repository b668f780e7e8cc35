"""Every setting has one place in the form, and only those that make a difference are shown."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.config import RunConfig, flatten, with_values
from aquadash.models import MODELS
from aquadash.ui.train.setting_groups import CARRIED, FIRST, GROUPS, matters


def shown(**changes: Any) -> set[str]:
    """The settings that make a difference beside these."""
    values = flatten(with_values(RunConfig(), {name.replace("__", "."): value for name, value in changes.items()}))
    return {name for name in values if matters(name, values)}


def test_every_setting_has_exactly_one_place() -> None:
    placed = ["data.source", *FIRST, *(name for group in GROUPS for name in group.names)]
    assert sorted([*placed, *CARRIED]) == sorted(flatten(RunConfig()))


def test_a_network_shows_the_settings_that_it_uses() -> None:
    for name, entry in MODELS.items():
        of_the_model = {
            setting.partition(".")[2] for setting in shown(model__name=name) if setting.startswith("model.")
        }
        assert "name" in of_the_model
        assert of_the_model - {"name"} <= set(entry.settings)
    assert {"model.filters", "model.strides", "model.l1"} <= shown(model__name="cnn")
    assert "model.filters" not in shown(model__name="notebook")


def test_transfer_learning_is_for_pretrained_networks_whose_body_learns() -> None:
    transfer = {"training.head_epochs", "training.body_learning_rate"}
    assert not transfer & shown(model__name="cnn", model__fine_tuning="all")
    assert not transfer & shown(model__name="backbone", model__fine_tuning="head")
    assert transfer <= shown(model__name="backbone", model__fine_tuning="top")
    assert "model.fine_tuning" in shown(model__name="backbone", model__fine_tuning="head")


@pytest.mark.parametrize(
    ("name", "with_it", "without_it"),
    [
        ("training.momentum", {"training__optimizer": "nesterov"}, {"training__optimizer": "adam"}),
        ("training.schedule_epochs", {"training__schedule": "step"}, {"training__schedule": "cosine"}),
        ("training.schedule_factor", {"training__schedule": "plateau"}, {"training__schedule": "constant"}),
        ("training.validation_fraction", {"training__validation": "training"}, {"training__validation": "test"}),
        ("augmentation.mode", {"augmentation__pipeline": "notebook"}, {"augmentation__pipeline": "none"}),
        ("model.pool_size", {"model__name": "cnn"}, {"model__name": "cnn", "model__pooling": "none"}),
        ("model.residual", {"model__name": "cnn", "model__convolutions": 2}, {"model__name": "cnn"}),
        ("model.dense_activation", {"model__name": "cnn"}, {"model__name": "cnn", "model__dense_units": ""}),
        (
            "training.monitor",
            {"training__patience": 0, "training__schedule": "plateau", "training__restore_best_weights": False},
            {"training__patience": 0, "training__restore_best_weights": False},
        ),
    ],
)
def test_a_setting_is_there_when_it_does_something(
    name: str, with_it: dict[str, Any], without_it: dict[str, Any]
) -> None:
    assert name in shown(**with_it)
    assert name not in shown(**without_it)


def test_a_network_that_is_gone_hides_nothing_of_its_own() -> None:
    values = {**flatten(RunConfig()), "model.name": "gone since"}
    assert matters("model.filters", values) and not matters("training.head_epochs", values)
