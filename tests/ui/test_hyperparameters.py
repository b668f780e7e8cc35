"""Settings as people see them: names, places in the form, limits that the config accepts."""

import pytest

from aquadash.config import DEFINITIONS, WITH_MOMENTUM, RunConfig, TrainingConfig, flatten, setting, with_values
from aquadash.errors import AquaDashError, ConfigError
from aquadash.models import MODELS, uses
from aquadash.training.optimizers import OPTIMIZERS
from aquadash.ui.kit import hyperparameters as fields
from aquadash.ui.train.train_settings import GROUPS

NAMES = list(flatten(RunConfig()))
NUMBERS = [name for name in NAMES if setting(name).kind in (int, float)]
LISTS = [name for name in NAMES if setting(name).kind is tuple]


def test_every_setting_has_a_name_of_its_own_help_and_one_place() -> None:
    assert len({fields.label(name) for name in NAMES} - set(NAMES)) == len(NAMES)
    assert all(fields.help_text(name) for name in NAMES)
    placed = [name for group in ("first", *GROUPS) for name in fields.group(group)]
    assert sorted([*placed, "data.source", DEFINITIONS]) == sorted(NAMES)


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
    texts = [fields.value_text(name, option) for option in fields.choices(name)]
    assert all(texts) and len(set(texts)) == len(texts)
    assert not any("_" in text for text in texts)
    for option in fields.choices(name):
        with_values(RunConfig(), {name: option})


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_as_it_is_shown(name: str) -> None:
    for value in ((7,), (32, 64, 8)):
        assert fields.read(name, fields.field_text(value)) == value
    assert fields.read(name, " 4,8 ") == (4, 8)
    assert fields.read("model.dense_units", fields.field_text(())) == ()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("model.filters", "16, x", "“x” is not a whole number"),
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


PRETRAINED = "model.name=backbone"


def shown(changes: str) -> set[str]:
    """Return the effective settings; no best weights, which would need the monitored metric, are restored."""
    values = dict(change.split("=", 1) for change in changes.split())
    return fields.effective(flatten(with_values(RunConfig(), {"training.restore_best_weights": False, **values})))


def test_a_network_shows_the_settings_that_it_uses_and_one_that_is_gone_hides_nothing_of_its_own() -> None:
    for name in MODELS:
        of_the_model = {each for each in shown(f"model.name={name}") if each.startswith("model.")}
        assert all(uses(name, each) for each in of_the_model)
        assert {"model.name", "model.test_time_flip"} <= of_the_model
    assert {"model.filters", "model.strides", "model.l1"} <= shown("model.name=cnn")
    assert "model.filters" not in shown("model.name=notebook")
    of_the_gone = fields.effective({**flatten(RunConfig()), "model.name": "gone since"})
    assert "model.filters" in of_the_gone and "training.head_epochs" not in of_the_gone


@pytest.mark.parametrize(
    ("name", "shown_with", "hidden_with"),
    [
        ("training.momentum", "training.optimizer=nesterov", "training.optimizer=adam"),
        ("training.schedule_epochs", "training.schedule=step", "training.schedule=cosine"),
        ("training.validation_fraction", "training.validation=training", "training.validation=test"),
        ("training.monitor", "training.patience=0 training.schedule=plateau", "training.patience=0"),
        ("training.head_epochs", f"{PRETRAINED} model.fine_tuning=top", f"{PRETRAINED} model.fine_tuning=head"),
        ("augmentation.mode", "augmentation.pipeline=notebook", "augmentation.pipeline=none"),
        ("augmentation.mixing_alpha", "augmentation.mixing=mixup", "augmentation.mixing=none"),
        ("model.residual", "model.name=cnn model.convolutions=2", "model.name=cnn"),
        ("model.fine_tuning", PRETRAINED, "model.name=cnn"),
    ],
)
def test_a_setting_is_shown_when_it_matters(name: str, shown_with: str, hidden_with: str) -> None:
    assert name in shown(shown_with)
    assert name not in shown(hidden_with)


def test_momentum_matters_to_the_optimizers_that_take_it() -> None:
    taking = {name for name, (_, arguments) in OPTIMIZERS.items() if "momentum" in arguments(TrainingConfig())}
    assert taking == set(WITH_MOMENTUM)
