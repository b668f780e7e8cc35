"""Configurations are checked, refused in plain words, and survive JSON."""

import re

import pytest

from aquadash import config
from aquadash.config import RunConfig, from_json, with_values
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.presets import PRESETS, preset, usual_epochs


def test_values_from_a_command_line_are_converted() -> None:
    changes = {"training.epochs": "7", "training.restore_best_weights": "false", "model.dense_units": ""}
    changed = config.with_values(RunConfig(), changes)
    assert (changed.training.epochs, changed.training.restore_best_weights) == (7, False)
    assert changed.model.dense_units == ()
    for text in ("8, 16", "[8, 16]"):
        assert config.with_values(RunConfig(), {"model.filters": text}).model.filters == (8, 16)
    assert config.parse_assignments(["a.b = 1", "c=x=y"]) == {"a.b": "1", "c": "x=y"}
    with pytest.raises(ConfigError, match="name=value"):
        config.parse_assignments(["nonsense"])


def test_an_unknown_setting_is_refused_and_the_nearest_offered() -> None:
    for name in ("epochs", "training", "", "training.epochs.x", "__class__"):
        with pytest.raises(UnknownNameError, match="no setting called"):
            config.with_values(RunConfig(), {name: "1"})
    with pytest.raises(UnknownNameError, match="no setting called.*Did you mean 'training.epochs'"):
        config.with_values(RunConfig(), {"training.epoch": "1"})
    with pytest.raises(UnknownNameError, match="Did you mean 'training.batch_size'"):
        config.from_mapping({"training": {"batchsize": 1}})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("training.epochs", "0", "greater than or equal to 1"),
        ("training.epochs", "many", "valid integer"),
        ("training.learning_rate", "nan", "finite number"),
        ("training.optimizer", "magic", "'sgd', 'momentum'"),
        ("data.source", "../etc/passwd", "should match pattern"),
        ("seed", str(2**32), "less than or equal to 4294967295"),
        ("model.dropout", "1", "less than 1"),
        ("model.filters", "[1", "valid integer"),
        ("model.filters", "[[8, 16]]", "valid integer"),
        *(("augmentation.definitions", text, "expected a JSON object") for text in ("[]", '{"a": 1}', '{"../a": {}}')),
        ("augmentation.definitions", "{", "not valid JSON"),
        ("augmentation.definitions", '{"a": {"x": "' + "y" * 70_000 + '"}}', "expected at most 60,000"),
        *(("augmentation.pipeline", text, "no pipeline's name") for text in ("a,", "../a", "x" * 100)),
        ("augmentation.pipeline", "a:nan, b", "the weight of a"),
        ("augmentation.pipeline", "a:1e9, b", "expected a number from 0.001 to 1000"),
        ("augmentation.pipeline", "a:x, b", "the weight of a is 'x'"),
        ("augmentation.pipeline", "a, b, a:2", "names a twice"),
        ("augmentation.pipeline", ",".join("abcdefghi"), "at most 8"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"{re.escape(name)} is '.*{message}") as caught:
        config.with_values(RunConfig(), {name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[" * 100_000])
def test_malformed_json_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not valid JSON"):
        config.from_json(text)


def test_only_differing_settings_are_listed_in_the_order_of_the_form() -> None:
    other = config.with_values(RunConfig(), {"seed": 5, "training.epochs": 3})
    assert config.config_diff([RunConfig(), other, other]) == {"training.epochs": [200, 3, 3], "seed": [0, 5, 5]}
    assert config.config_diff([RunConfig(), RunConfig()]) == {}


def test_the_report_is_followed_to_the_letter() -> None:
    training = preset("notebook").config.training
    assert (training.optimizer, training.learning_rate, training.batch_size) == ("sgd", 0.01, 32)
    assert (training.epochs, training.patience) == (200, 5)
    assert (training.validation, training.restore_best_weights, training.from_logits) == ("test", False, True)
    assert training.drop_remainder is False
    assert len(preset("notebook").oddities) == 2
    fixed = preset("notebook-fixed").config.training
    assert (fixed.validation, fixed.validation_fraction) == ("training", 0.15), "it touches no test image"
    assert (fixed.restore_best_weights, fixed.from_logits) == (True, False)
    with pytest.raises(UnknownNameError, match="Did you mean 'notebook'"):
        preset("notebok")


@pytest.mark.parametrize(
    ("changes", "epochs"),
    [
        ({"seed": 7, "training.epochs": 80, "training.learning_rate": 0.005, "augmentation.pipeline": "none"}, 30),
        ({"training.epochs": 12}, 12),
        # Nearer to another preset.
        ({"training.validation": "test", "training.from_logits": True, "training.drop_remainder": False}, 33),
        ({"training.patience": 9}, 34),
        ({"training.patience": 0}, 200),
        # No preset of this network was measured.
        ({"model.name": "vgg16"}, 200),
    ],
)
def test_a_run_usually_ends_after_the_epochs_of_the_nearest_preset(changes: dict[str, object], epochs: int) -> None:
    assert usual_epochs(config.with_values(PRESETS["notebook-fixed"].config, changes)) == epochs


def test_yaml_is_read_back_and_fills_up_from_a_base() -> None:
    for entry in PRESETS.values():
        assert config.from_yaml(config.to_yaml(entry.config)) == entry.config
    base = config.with_values(RunConfig(), {"training.epochs": 7, "seed": 3})
    read = config.from_yaml("training: {learning_rate: 1e-3}\nmodel: {filters: [8, 16]}\n", base=base)
    assert (read.training.epochs, read.seed, read.training.learning_rate) == (7, 3, 0.001)
    assert read.model.filters == (8, 16)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[1, 2", "not valid YAML in line 1"),
        ("a: &x [1]\nb: *x", "alias"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("just words", "expected an object"),
        ("training: 5", "training is 5"),
        ("model: {filters: [8, 0]}", "model.filters is 0"),
        ("model: {filters: []}", "model.filters"),
        ("x" * 200_000, "200,000 characters"),
        ("[\n" * 5000, "not valid YAML"),
        ("training: !!bool foo", "not valid YAML"),
        ("seed: !!timestamp foo", "not valid YAML"),
        ("seed: 0x" + 5000 * "F", "seed is a number of thousands of digits"),
    ],
)
def test_bad_yaml_is_one_clear_sentence(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.from_yaml(text)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def pipeline(text: str) -> RunConfig:
    return with_values(RunConfig(), {"augmentation.pipeline": text})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("notebook-1", "notebook-1"),
        ("notebook-1:7", "notebook-1"),
        (" notebook-1 : 3,my-flip", "notebook-1:3, my-flip"),
        ("a:1.0, b:0.25", "a, b:0.25"),
    ],
)
def test_weights_have_one_form_and_their_fractions_add_up(text: str, kept: str) -> None:
    config = pipeline(text)
    assert config.augmentation.pipeline == kept
    assert pipeline(kept) == config == from_json(config.to_json())
    assert pipeline("a:3, b").augmentation.weights == (("a", 0.75), ("b", 0.25))


def test_a_config_of_before_is_read_with_the_defaults() -> None:
    old = '{"augmentation": {"pipeline": "notebook-1", "mode": "fresh"}}'
    augmentation = from_json(old).augmentation
    assert (augmentation.copies, augmentation.keep_originals, augmentation.definitions) == (1, False, "")
    assert from_json(old).training.label_noise == 0
