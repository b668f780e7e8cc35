from __future__ import annotations

import json
import pickle

import pytest

from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import from_json, parse
from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, op
from aquadash.errors import AquaDashError, ConfigError


def _text(**changes: object) -> str:
    values: dict[str, object] = {
        "format": "aquadash-pipeline",
        "version": 1,
        "name": "own",
        "title": "Own",
        "summary": "",
        "branches": [{"title": "One", "operators": [{"name": "Fliplr"}]}],
    }
    return json.dumps({**values, **changes})


@pytest.mark.parametrize("name", PIPELINES)
def test_every_pipeline_survives_json(name: str) -> None:
    assert from_json(PIPELINES[name].to_json()) == PIPELINES[name]


def test_records_are_hashable_and_travel_between_processes() -> None:
    spec = PIPELINES["notebook"]
    assert hash(spec) == hash(parse(spec.to_json()))
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_op_tells_settings_from_children() -> None:
    inner = op("Add", value=Range(-5, 5))
    assert op("Sometimes", p=0.25, then_list=inner) == Operator("Sometimes", (("p", 0.25),), (("then_list", (inner,)),))
    assert op("Sequential", children=(inner, inner)).slot("children") == (inner, inner)
    assert inner.setting("per_channel", False) is False


def test_a_range_must_ascend_and_a_pipeline_have_a_branch() -> None:
    with pytest.raises(ConfigError, match="upside down"):
        Range(2, 1)
    with pytest.raises(ConfigError, match="no branch"):
        PipelineSpec("own", "Own", "", ())
    assert Branch("Original").is_original


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 50_000, "not valid JSON"),
        ("[]", "expected an object"),
        (_text(extra=1), "unknown field 'extra'"),
        ('{"name": "own"}', "lacks 'format'"),
        (_text(branches={}), "expected a list"),
        (_text(branches=[{"title": "One", "operators": []}] * 21), "at most 20"),
        (_text(title=5), "must be a text"),
        (_text(branches=[{"title": "One"}]), "lacks 'operators'"),
        (_text(branches=[{"title": "One", "operators": [{"name": "Fliplr", "settings": {"p": None}}]}]), "p is 'None'"),
        (_text(summary="x" * 100_001), "at most 100,000"),
    ],
)
def test_malformed_text_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" + "0" * 400, "1" + "0" * 5000])
def test_numbers_without_bounds_are_refused(number: str) -> None:
    text = _text(branches=[{"title": "One", "operators": [{"name": "Add", "settings": {"value": "HERE"}}]}])
    with pytest.raises(AquaDashError):
        from_json(text.replace('"HERE"', number))


def test_deep_nesting_is_refused() -> None:
    operator: dict[str, object] = {"name": "Fliplr"}
    for _ in range(20):
        operator = {"name": "Sometimes", "children": {"then_list": [operator]}}
    with pytest.raises(ConfigError, match="nested more than"):
        parse(_text(branches=[{"title": "One", "operators": [operator]}]))
