from __future__ import annotations

import inspect

import numpy as np
import pytest

from aquadash.augment import FAMILIES, OPERATORS, PIPELINES, Branch, Range, apply, op
from aquadash.augment.catalogue import settings_of
from aquadash.augment.reading import check_operators
from aquadash.augment.spec import walk
from tests.catalogue_cases import all_ends, each_end

_RNG = np.random.default_rng(5)
_IMAGES = _RNG.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
_ODD_SIZES = [(31, 45), (7, 5), (1, 1), (2, 9)]
#: Plain pictures and noise: what divides by a spread or counts colours meets none.
_ODD_IMAGES = [
    np.stack(
        [
            _RNG.integers(0, 256, (*size, 3), dtype=np.uint8),
            np.zeros((*size, 3), np.uint8),
            np.full((*size, 3), 255, np.uint8),
        ]
    )
    for size in _ODD_SIZES
]


@pytest.mark.parametrize("name", OPERATORS)
def test_every_setting_works_at_its_ends(name: str) -> None:
    kept = _IMAGES.copy()
    for operator in each_end(OPERATORS[name]):
        check_operators([operator])
        result = apply(_IMAGES, Branch("one", (operator,)), seed=1)
        assert result.shape == _IMAGES.shape, operator
        assert result.dtype == np.uint8
    np.testing.assert_array_equal(_IMAGES, kept)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_keeps_odd_sizes(name: str) -> None:
    for images in _ODD_IMAGES:
        kept = images.copy()
        for operator in all_ends(OPERATORS[name]):
            check_operators([operator])
            result = apply(images, Branch("one", (operator,)), seed=2)
            assert result.shape == images.shape, operator
            assert result.dtype == np.uint8
        np.testing.assert_array_equal(images, kept)


def test_names_and_settings_are_imgaugs() -> None:
    import imgaug.augmenters as iaa

    for info in OPERATORS.values():
        home = iaa.imgcorruptlike if info.family == "corruption" and info.maker else iaa
        known = inspect.signature(getattr(home, info.name)).parameters
        for name in [slot for slot, _ in info.slots] + [parameter.name for parameter in info.parameters]:
            assert name in known, (info.name, name)


def test_defaults_of_the_reports_operators_are_imgaugs() -> None:
    import imgaug.augmenters as iaa

    names = {operator.name for branch in PIPELINES["notebook"].branches for operator in walk(branch.operators)}
    for info in map(OPERATORS.__getitem__, names):
        known = inspect.signature(getattr(iaa, info.name)).parameters
        for parameter in info.parameters:
            default = parameter.default
            if default is not None:
                plain = (default.low, default.high) if isinstance(default, Range) else default
                assert known[parameter.name].default == plain, (info.name, parameter.name)


def test_every_family_has_operators_and_every_operator_a_family() -> None:
    assert len(OPERATORS) >= 60
    assert list(dict.fromkeys(info.family for info in OPERATORS.values())) == list(FAMILIES)


def test_every_entry_has_words_for_a_student() -> None:
    titles = [info.title for info in OPERATORS.values() if info.name not in ("ScaleX", "TranslateX")]
    assert len(set(titles)) == len(titles)
    for info in OPERATORS.values():
        for text in (info.help, info.effect, info.harm):
            assert text.endswith(".") and 20 < len(text) < 200, (info.name, text)
        for parameter in info.parameters:
            assert parameter.help.endswith(".")


def test_a_setting_has_a_default_within_its_bounds_or_an_example() -> None:
    for info in OPERATORS.values():
        assert info.example is not None
        check_operators([info.example])
        given = dict(info.example.settings)
        for parameter in info.parameters:
            assert parameter.default is not None or parameter.name in given
        defaults = {one.name: one.default for one in info.parameters if one.default is not None}
        check_operators([op(info.name, **{**given, **defaults}, **dict(info.example.children))])


def test_settings_are_completed_by_defaults() -> None:
    assert settings_of(op("Multiply", mul=2.0)) == {"mul": 2.0, "per_channel": False}
