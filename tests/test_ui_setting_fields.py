"""Settings as people see them: every one has a name and limits that the config itself accepts."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig, flatten, setting, with_values
from aquadash.errors import AquaDashError
from aquadash.ui import setting_fields as fields

NAMES = list(flatten(RunConfig()))
NUMBERS = [name for name in NAMES if setting(name).kind in (int, float)]


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_name_and_help(name: str) -> None:
    assert fields.label(name) != name
    assert fields.help_text(name)


@pytest.mark.parametrize("name", NUMBERS)
def test_limits_are_accepted_by_the_config_and_nothing_beyond_them(name: str) -> None:
    limits = fields.number(name)
    for value in (limits.low, limits.high):
        with_values(RunConfig(), {name: value})
    for value in (limits.low - limits.step, limits.high + limits.step):
        with pytest.raises(AquaDashError):
            with_values(RunConfig(), {name: value})


@pytest.mark.parametrize("name", [name for name in NAMES if fields.choices(name)])
def test_every_choice_reads_as_words_and_is_accepted(name: str) -> None:
    for option in fields.choices(name):
        assert fields.value_text(name, option)
        with_values(RunConfig(), {name: option})


def test_values_read_as_words() -> None:
    assert fields.value_text("training.restore_best_weights", True) == "yes"
    assert fields.value_text("training.learning_rate", 0.01) == "0.01"
    assert fields.value_text("augmentation.pipeline", "gone since") == "gone since"
