"""Spaces: read from text, held to the settings' limits, laid out as grids."""

from __future__ import annotations

import contextlib

import pytest

from aquadash.config import SETTINGS, RunConfig, SearchRange, flatten, with_values
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.models import MODELS, effective
from aquadash.presets import PRESETS
from aquadash.search import SearchPlan, default_space, suggested
from aquadash.search.space import (
    SearchParameter,
    base_value,
    checked,
    ends,
    parse,
    parse_all,
    widened,
)


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        (
            "training.learning_rate=1e-4..1e-1:log",
            SearchParameter("training.learning_rate", SearchRange(1e-4, 0.1, log=True)),
        ),
        (" model.dropout = 0 .. 0.5 ", SearchParameter("model.dropout", SearchRange(0.0, 0.5))),
        ("training.patience=3..15:linear", SearchParameter("training.patience", SearchRange(3, 15))),
        ("training.epochs=1e1..1e2:log", SearchParameter("training.epochs", SearchRange(10, 100, log=True))),
        ("training.optimizer=adam, sgd,", SearchParameter("training.optimizer", ("adam", "sgd"))),
        ("training.batch_size=16,32", SearchParameter("training.batch_size", (16, 32))),
        ("training.learning_rate=0.1,1e-3", SearchParameter("training.learning_rate", (0.1, 0.001))),
        ("model.residual=no,yes", SearchParameter("model.residual", (False, True))),
        ("model.filters=32,64|16", SearchParameter("model.filters", ("32, 64", "16"))),
        ("model.dense_units=128|none", SearchParameter("model.dense_units", ("128", ""))),
    ],
)  # fmt: skip
def test_text_is_read_and_written(text: str, parameter: SearchParameter) -> None:
    assert parse(text) == parameter
    assert parse(str(parameter)) == parameter
    assert type(ends(parse(text))[0]) is type(ends(parameter)[0])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("training.learning_rate", "not of the form"),
        ("training.learning_rate=0.1", "from 2 to 50 different ones"),
        ("training.learning_rate=0..1:log", "greater than 0"),
        ("training.weight_decay=0..1:log", "starts above 0"),
        ("training.learning_rate=1e-2..1e-3", "must be less than"),
        ("training.learning_rate=1e-3..50", "less than or equal to 10"),
        ("training.learning_rate=1..2..3", "not a range"),
        ("training.learning_rate=1e-3..1:exp", "log or linear"),
        ("training.learning_rate=nan..1", "finite"),
        ("model.dropout=0..1", "less than 1"),
        ("training.batch_size=8..64.5", "whole numbers"),
        ("training.optimizer=sgd..adam", "not a range"),
        ("training.optimizer=sgd,magic", "magic"),
        ("training.from_logits=0..1", "not a number"),
        ("model.filters=16,32", "different ones"),
        ("model.filters=16,32|0", "greater than or equal to 1"),
        ("data.source=synthetic,cifar100", "cannot vary"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_words(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse(text)


def test_an_unknown_setting_gets_the_nearest_and_a_repeated_one_is_named() -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'training\.learning_rate'"):
        parse("training.learning_rat=1..2")
    with pytest.raises(ConfigError, match="named twice"):
        parse_all(["model.dropout=0..0.5", "model.dropout=0.1,0.2"])


def test_settings_that_change_the_yardstick_are_not_searched() -> None:
    for name in ("seed", "data.source", "training.validation", "training.validation_fraction", "training.device"):
        with pytest.raises(ConfigError, match=f"cannot vary {name}. {SETTINGS[name].incomparable}"):
            checked(SearchParameter(name, ("a", "b")))


def test_a_space_is_widened_by_the_value_to_start_from() -> None:
    rate = parse("training.learning_rate=1e-3..1e-2:log")
    assert widened(rate, 0.005) == rate
    assert widened(rate, 0.5) == SearchParameter("training.learning_rate", SearchRange(1e-3, 0.5, log=True))
    decay = parse("training.weight_decay=1e-5..1e-2:log")
    assert widened(decay, 0.0) == decay  # A logarithm never comes to zero.
    assert widened(parse("training.batch_size=16,64"), 32) == SearchParameter("training.batch_size", (16, 32, 64))
    assert widened(parse("training.optimizer=sgd,adam"), "rmsprop").contains("rmsprop")


def test_the_base_value_of_a_list_is_text_that_the_settings_understand() -> None:
    config = with_values(RunConfig(), {"model.filters": (8, 16, 32)})
    text = base_value(config, "model.filters")
    assert text == "8, 16, 32" and with_values(RunConfig(), {"model.filters": text}) == config


# -- suggested ones: they fit every network and hold the settings to start from ----------------------------------------


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_suggestion_can_be_searched_unless_it_does_nothing_beside_the_other_settings(model: str) -> None:
    config = with_values(RunConfig(), {"model.name": model})
    found, working = suggested(config), effective(flatten(config))
    assert not any(SETTINGS[name].incomparable for name in found)
    for name, parameter in found.items():
        assert parameter.name == name and checked(parameter) == parameter == parse(str(parameter))
        with contextlib.nullcontext() if name in working else pytest.raises(ConfigError, match="beside the other"):
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


def test_pretrained_networks_get_small_learning_rates_and_a_value_beyond_the_usual_widens_the_range() -> None:
    config = with_values(RunConfig(), {"model.name": "backbone", "training.learning_rate": 0.001})
    rate = suggested(config)["training.learning_rate"].values
    assert isinstance(rate, SearchRange) and rate.high == 0.01
    assert "training.learning_rate" in [parameter.name for parameter in default_space(config)]
    rate = suggested(with_values(RunConfig(), {"training.learning_rate": 2.0}))["training.learning_rate"].values
    assert isinstance(rate, SearchRange) and rate.high == 2.0
