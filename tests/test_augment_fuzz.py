"""Whatever can be built can be saved, loaded, described, applied and exported; whatever cannot gets a clear error."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquadash.augment import PipelineSpec, apply, check, describe, from_json, to_code
from aquadash.errors import AquaDashError
from tests.pipeline_strategies import anything, damaged, pipelines

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_FUZZ = settings(max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW_IS_FINE)
_FEW = settings(_FUZZ, max_examples=60)

_SIZES = st.sampled_from([(32, 32), (9, 14), (1, 1), (33, 31)])


def _images(size: tuple[int, int]) -> np.ndarray:
    images = np.random.default_rng(1).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    images[1] = 128
    return images


@_FUZZ
@given(pipelines())
def test_what_is_built_can_be_checked_saved_described_and_exported(spec: PipelineSpec) -> None:
    check(spec)
    assert from_json(spec.to_json()) == spec
    assert all(line.strip() for line in describe(spec))
    compile(to_code(spec), "pipeline.py", "exec")


@_FUZZ
@given(pipelines(), _SIZES)
def test_what_is_built_can_be_applied(spec: PipelineSpec, size: tuple[int, int]) -> None:
    images = _images(size)
    result = apply(images, spec, seed=3)
    assert result.shape == (spec.factor * len(images), *size, 3)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(images, _images(size))


@_FEW
@given(pipelines(), _SIZES, st.integers(0, 2**40))
def test_exported_code_gives_the_same_bytes(spec: PipelineSpec, size: tuple[int, int], seed: int) -> None:
    names: dict[str, Any] = {"__name__": "pipeline"}
    exec(compile(to_code(spec), "pipeline.py", "exec"), names)
    images = _images(size)
    np.testing.assert_array_equal(names["augment"](images, seed), apply(images, spec, seed=seed))


def _assert_clear(text: str) -> None:
    """Reading either works, and then all else does, or raises one of the app's errors with words in it."""
    try:
        spec = from_json(text)
    except AquaDashError as error:
        assert len(str(error)) > 10
    else:
        assert from_json(spec.to_json()) == spec
        compile(to_code(spec), "pipeline.py", "exec")


@_FUZZ
@given(damaged())
def test_damaged_json_gets_a_clear_error(text: str) -> None:
    _assert_clear(text)


@_FUZZ
@given(anything)
def test_any_other_json_gets_a_clear_error(value: object) -> None:
    _assert_clear(json.dumps(value))


@_FUZZ
@given(st.text())
def test_any_text_gets_a_clear_error(text: str) -> None:
    with pytest.raises(AquaDashError, match=r"\w+"):
        from_json(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "1" * 99_999, "NaN", '"\\ud800"', "{}" * 10, "\x00"])
def test_hostile_texts_get_a_clear_error(text: str) -> None:
    with pytest.raises(AquaDashError, match=r"\w+"):
        from_json(text)
