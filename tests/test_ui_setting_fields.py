"""Settings as people see them: every one has a name and limits that the config itself accepts."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig, flatten, setting, with_values
from aquadash.errors import AquaDashError, ConfigError
from aquadash.ui import setting_fields as fields

NAMES = list(flatten(RunConfig()))
NUMBERS = [name for name in NAMES if setting(name).kind in (int, float)]
LISTS = [name for name in NAMES if setting(name).kind is tuple]


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_name_and_help(name: str) -> None:
    assert fields.label(name) != name
    assert fields.help_text(name)


def test_no_two_settings_have_the_same_name() -> None:
    assert len({fields.label(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NUMBERS)
def test_limits_are_accepted_by_the_config_and_nothing_beyond_them(name: str) -> None:
    limits = fields.number(name)
    for value in (limits.low, limits.high):
        with_values(RunConfig(), {name: value})
    for value in (limits.low - limits.step, limits.high + limits.step):
        with pytest.raises(AquaDashError):
            with_values(RunConfig(), {name: value})


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_one_type(name: str) -> None:
    limits = fields.number(name, flatten(RunConfig())[name])
    assert {type(limits.low), type(limits.high), type(limits.step)} == {setting(name).kind}


def test_what_is_tried_in_powers_of_ten_steps_in_tenths_of_its_power() -> None:
    steps = {value: fields.number("training.learning_rate", value).step for value in (0.001, 0.002, 0.05, 3e-5)}
    assert steps == {0.001: 1e-4, 0.002: 1e-3, 0.05: 1e-2, 3e-5: 1e-5}
    assert fields.number("training.weight_decay", 0.0).step > 0


def test_a_value_finer_than_the_forms_steps_is_within_the_limits() -> None:
    assert fields.number("training.learning_rate", 1e-9).low == 1e-9
    assert fields.number("training.momentum", 0.9999).high == 0.9999


@pytest.mark.parametrize("name", [name for name in NAMES if fields.choices(name)])
def test_every_choice_reads_as_words_and_is_accepted(name: str) -> None:
    texts = [fields.value_text(name, option) for option in fields.choices(name)]
    assert all(texts) and len(set(texts)) == len(texts)
    assert not any("_" in text for text in texts)
    for option in fields.choices(name):
        with_values(RunConfig(), {name: option})


def test_values_read_as_words() -> None:
    assert fields.value_text("training.restore_best_weights", True) == "yes"
    assert fields.value_text("training.learning_rate", 0.01) == "0.01"
    assert fields.value_text("training.patience", 0) == "0 (never stops early)"
    assert fields.value_text("augmentation.pipeline", "gone since") == "gone since"
    assert fields.value_text("model.filters", (32, 64)) == fields.value_text("model.filters", [32, 64]) == "32, 64"
    assert fields.value_text("model.dense_units", ()) == "none"


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_as_it_is_shown(name: str) -> None:
    for value in ((7,), (32, 64, 8)):
        assert fields.read(name, fields.field_text(value)) == value
    assert fields.read(name, " 4,8 ") == (4, 8)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("model.filters", "16, x", "“x” is not a whole number"),
        ("model.filters", "16,,8", "“” is not a whole number"),
        ("model.filters", "1.5", "“1.5” is not a whole number"),
        ("model.filters", "16, 5000", "each should be less than or equal to 1024"),
        ("model.filters", "", "the list should have at least 1 item"),
        ("model.dense_units", "1,1,1,1,1", "the list should have at most 4 items, not 5"),
    ],
)
def test_a_list_that_cannot_be_read_is_explained(name: str, text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fields.read(name, text)
    assert str(caught.value).startswith(fields.label(name))
    assert reason in str(caught.value) and "such as 32, 64" in str(caught.value)


def test_no_dense_layers_are_an_empty_text() -> None:
    assert fields.field_text(()) == "" and fields.read("model.dense_units", "") == ()
