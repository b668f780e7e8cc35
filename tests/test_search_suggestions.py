"""Suggested spaces fit every network and hold the settings to start from."""

from __future__ import annotations

import pytest

from aquadash.config import SETTINGS, RunConfig, SearchRange, with_values
from aquadash.models import MODELS
from aquadash.presets import PRESETS
from aquadash.search import SearchPlan, default_space, parse, suggested
from aquadash.search.space import base_value, checked


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_suggestion_can_be_searched(model: str) -> None:
    config = with_values(RunConfig(), {"model.name": model})
    found = suggested(config)
    assert not any(SETTINGS[name].incomparable for name in found)
    for name, parameter in found.items():
        assert parameter.name == name and checked(parameter) == parameter == parse(str(parameter))
        SearchPlan(config, (parameter,)).checked()
        outside = not parameter.contains(base_value(config, name))
        assert not outside or (
            isinstance(parameter.values, SearchRange) and parameter.values.log and base_value(config, name) == 0
        ), name
    assert {"training.learning_rate", "training.batch_size", "training.optimizer"} <= set(found)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_has_a_few_settings_to_vary(preset: str) -> None:
    config = with_values(PRESETS[preset].config, {"training.validation": "training"})
    space = default_space(config)
    assert 3 <= len(space) <= 6 and space[0].name == "training.learning_rate"
    SearchPlan(config, space).checked()


def test_settings_that_the_network_ignores_are_not_suggested() -> None:
    found = suggested(RunConfig())
    assert "model.dropout" in found and "model.filters" not in found and "training.head_epochs" not in found
    assert "model.filters" in suggested(with_values(RunConfig(), {"model.name": "cnn"}))
    assert "training.head_epochs" in suggested(with_values(RunConfig(), {"model.name": "backbone"}))


def test_pretrained_networks_get_small_learning_rates() -> None:
    config = with_values(RunConfig(), {"model.name": "backbone", "training.learning_rate": 0.001})
    rate = suggested(config)["training.learning_rate"].values
    assert isinstance(rate, SearchRange) and rate.high == 0.01
    assert "training.learning_rate" in [parameter.name for parameter in default_space(config)]


def test_a_value_beyond_the_usual_widens_the_range() -> None:
    rate = suggested(with_values(RunConfig(), {"training.learning_rate": 2.0}))["training.learning_rate"].values
    assert isinstance(rate, SearchRange) and rate.high == 2.0
