"""Several pipelines with weights as one text, and the pipelines that a config carries."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig, from_json, with_values
from aquadash.errors import ConfigError


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
def test_one_form(text: str, kept: str) -> None:
    config = pipeline(text)
    assert config.augmentation.pipeline == kept
    assert pipeline(kept) == config == from_json(config.to_json())


def test_shares_add_up() -> None:
    assert pipeline("a:3, b").augmentation.weights == (("a", 0.75), ("b", 0.25))
    assert pipeline("a").augmentation.weights == (("a", 1.0),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no pipeline's name"),
        ("a,", "no pipeline's name"),
        ("../a", "no pipeline's name"),
        ("A", "no pipeline's name"),
        ("a:0, b", "the weight of a is '0'"),
        ("a:-1, b", "the weight of a is '-1'"),
        ("a:nan, b", "the weight of a"),
        ("a:1e9, b", "expected a number from 0.001 to 1000"),
        ("a:x, b", "the weight of a is 'x'"),
        ("a, b, a:2", "names a twice"),
        (",".join("abcdefghi"), "at most 8"),
    ],
)
def test_what_is_no_choice_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        pipeline(text)


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '{"../a": {}}', '{"a": {"x": "' + "y" * 70_000 + '"}}'])
def test_definitions_are_an_object_of_pipelines(text: str) -> None:
    with pytest.raises(ConfigError, match="augmentation.definitions"):
        with_values(RunConfig(), {"augmentation.definitions": text})


def test_a_config_of_before_is_read_with_the_defaults() -> None:
    old = '{"augmentation": {"pipeline": "notebook-1", "mode": "fresh"}}'
    augmentation = from_json(old).augmentation
    assert (augmentation.copies, augmentation.keep_originals, augmentation.definitions) == (1, False, "")
