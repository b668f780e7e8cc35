from __future__ import annotations

import copy

import imgaug.augmenters as iaa
import imgaug.parameters as iap
import numpy as np
import pytest

from aquadash.augment.build import build
from aquadash.augment.pipelines import PIPELINES, branch_titles, from_json
from aquadash.augment.saved_pipelines import pipeline
from aquadash.errors import UnknownNameError
from scripts.bench.report import report_pipelines


def test_names_and_factors() -> None:
    assert {name: spec.factor for name, spec in PIPELINES.items()} == {
        "none": 1,
        "notebook-1": 1,
        "notebook-2": 1,
        "notebook-3": 1,
        "notebook-4": 1,
        "notebook": 5,
        "mirror-shift": 1,
        "mirror-shift-cover": 1,
    }
    assert all(spec.name == name and spec.title and spec.summary for name, spec in PIPELINES.items())


def test_notebook_is_the_original_and_the_four_in_order() -> None:
    branches = PIPELINES["notebook"].branches
    assert branches[0].is_original
    assert branches[1:] == tuple(PIPELINES[f"notebook-{number}"].branches[0] for number in range(1, 5))
    assert branch_titles(PIPELINES["notebook"])[0] == "Original"


def test_the_nearest_name_is_offered() -> None:
    assert pipeline("notebook-2") is PIPELINES["notebook-2"]
    with pytest.raises(UnknownNameError, match="Did you mean 'notebook-2'"):
        pipeline("notbook-2")
    with pytest.raises(UnknownNameError, match="operator"):
        from_json(PIPELINES["notebook-1"].to_json().replace("Fliplr", "Rot"))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_pipelines_are_the_reports_to_the_byte(number: int) -> None:
    """With the same random numbers our tree of augmenters gives what the report's own calls give.

    In the fourth our masks are swapped for imgaug's here; their distribution is compared in test_augment_noise.
    """
    images = np.random.default_rng(number).integers(0, 256, (400, 32, 32, 3), dtype=np.uint8)
    ours = build(PIPELINES[f"notebook-{number}"].branches[0].operators, seed=np.random.SeedSequence(0))
    report = report_pipelines()[number - 1]
    if number == 4:
        report[2].mask_generator.parameter = iap.Clip(report[2].mask_generator.parameter, 0.0, 1.0)
        ours[2].mask_generator = copy.deepcopy(report[2].mask_generator)
    ours.seed_(number)
    report.seed_(number)
    np.testing.assert_array_equal(ours(images=images), report(images=images))


def test_the_reports_masks_have_imgaugs_settings() -> None:
    blend = build(PIPELINES["notebook-4"].branches[0].operators, seed=np.random.SeedSequence(0))[2]
    masks = blend.mask_generator
    assert (masks.exponent, masks.size_px_max, masks.iterations) == ((-4.0, 0.0), (4, 16), (1, 3))
    assert (masks.sigmoid, masks.per_channel) == (0.5, 0.0)
    assert isinstance(blend.foreground[0], iaa.Multiply)
    assert isinstance(blend.background[0], iaa.LinearContrast)
