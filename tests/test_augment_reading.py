from __future__ import annotations

import json

import pytest

from aquadash.augment.reading import check_operators, from_json
from aquadash.augment.spec import Operator, PipelineSpec, Range, op
from aquadash.errors import AquaDashError, ConfigError, UnknownNameError


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


def test_a_range_must_ascend_and_a_pipeline_have_a_branch() -> None:
    with pytest.raises(ConfigError, match="upside down"):
        Range(2, 1)
    with pytest.raises(ConfigError, match="no branch"):
        PipelineSpec("own", "Own", "", ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[" * 50_000, "not valid JSON"),
        ("[]", "The pipeline is .*: .* object"),
        (_text(extra=1), "unknown field 'extra'"),
        ('{"name": "own"}', "lacks 'format'"),
        (_text(branches={}), "branches is {}: .* array"),
        (_text(branches=[{"title": "One", "operators": []}] * 21), "20 are the most"),
        (_text(title=5), "title is 5: .* string"),
        (_text(title="a\ud800"), "not valid JSON"),
        (_text(branches=[{"title": "One"}]), "branches.1 lacks 'operators'"),
        (
            _text(branches=[{"title": "One", "operators": [{"name": "Fliplr", "settings": {"p": None}}]}]),
            "branches.1.operators.1.settings.p is None: expected a number",
        ),
        (_text(summary="x" * 100_001), "at most 100,000"),
    ],
)
def test_malformed_text_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(text)


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
        from_json(_text(branches=[{"title": "One", "operators": [operator]}]))


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (op("FlipLR"), "Did you mean 'Fliplr'"),
        (op("GaussianBlur", sgma=1.0), "Did you mean 'sigma'"),
        (op("Sometimes", then=op("Fliplr")), "Did you mean 'then_list'"),
        (op("Fliplr", children=op("Fliplr")), "slot of Fliplr"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(operator: Operator, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        check_operators([operator])


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (op("GaussianBlur", sigma=-1.0), "number from 0 to 10"),
        (op("GaussianBlur", sigma=Range(0.0, float("inf"))), "number from 0 to 10"),
        (op("GaussianBlur", sigma=True), "is 'True'"),
        (op("Add", value=Range(-5, 0.5)), "a whole number"),
        (op("MedianBlur", k=4), "an odd number from 1 to 15"),
        (op("WithChannels", channels=0, children=op("Grayscale")), "needs a picture in colour"),
        (op("Fliplr", p=Range(0.0, 1.0)), "one fixed value"),
        (op("CoarseDropout", p=0.1), "needs its setting 'size_percent'"),
        (op("WithColorspace", to_colorspace="CMYK", children=op("Fliplr")), "expected one of RGB"),
        (op("Sometimes", p=0.5, then_list=op("Sometimes", then_list=op("Fliplr", p=2))), "Fliplr: p is"),
    ],
)
def test_values_out_of_bounds_are_refused(operator: Operator, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_operators([operator])
