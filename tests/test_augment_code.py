from __future__ import annotations

from typing import Any

import imgaug.parameters as iap
import numpy as np
import pytest

from aquadash.augment import OPERATORS, PIPELINES, Branch, PipelineSpec, Range, op, to_code
from aquadash.bench.augment import report_pipelines
from aquadash.errors import AquaDashError

_IMAGES = np.random.default_rng(2).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


def _run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "pipeline.py", "exec"), names)
    return names


@pytest.mark.parametrize("name", PIPELINES)
def test_the_code_runs(name: str) -> None:
    branches = _run(to_code(PIPELINES[name]))["branches"]
    assert len(branches) == PIPELINES[name].factor
    for branch in branches:
        assert branch(images=_IMAGES).shape == _IMAGES.shape


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_code_builds_the_reports_pipelines(number: int) -> None:
    """With the same random numbers it gives the same bytes; the report's masks are cut, as in the code."""
    images = np.random.default_rng(number).integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    branches = _run(to_code(PIPELINES["notebook"]))["branches"]
    report = report_pipelines()[number - 1]
    if number == 4:
        report[2].mask_generator.parameter = iap.Clip(report[2].mask_generator.parameter, 0.0, 1.0)
    branches[number].seed_(3)
    report.seed_(3)
    np.testing.assert_array_equal(branches[number](images=images), report(images=images))


def test_the_original_stays_as_it_is_in_code() -> None:
    np.testing.assert_array_equal(_run(to_code(PIPELINES["none"]))["branches"][0](images=_IMAGES), _IMAGES)


def test_the_code_cuts_masks_above_one() -> None:
    blend = _run(to_code(PIPELINES["notebook-4"]))["branches"][0][2]
    blend.mask_generator.parameter.other_param = iap.Deterministic(1.0000001)
    assert blend(images=_IMAGES).shape == _IMAGES.shape


def test_only_the_noise_needs_a_helper() -> None:
    assert "frequency_noise" not in to_code(PIPELINES["notebook-1"])
    assert "import imgaug.parameters" not in to_code(PIPELINES["notebook-1"])


def test_nothing_unchecked_gets_into_code() -> None:
    for operator in (op("Fliplr()); boom(", p=1.0), op("Add", **{"value=1), boom(x": 1})):
        with pytest.raises(AquaDashError):
            to_code(PipelineSpec("own", "Own", "", (Branch("One", (operator,)),)))
    spec = PipelineSpec("own", "Own", "", (Branch("One\nboom()\r\nboom()", (op("Fliplr"),)),))
    assert len(_run(to_code(spec))["branches"]) == 1


def test_every_operator_has_code() -> None:
    required: dict[str, Any] = {"size_percent": Range(0.1, 0.1), "to_colorspace": "HSV", "channels": 0, "px": 1}
    for info in OPERATORS.values():
        arguments = {one.name: required[one.name] for one in info.parameters if one.default is None}
        arguments |= {slot: (op("Fliplr"), op("Add", value=Range(-3, 3))) for slot, _ in info.slots}
        spec = PipelineSpec("own", "Own", "", (Branch("One", (op(info.name, **arguments),)),))
        assert _run(to_code(spec))["branches"][0](images=_IMAGES).shape == _IMAGES.shape
