"""The figures of pipelines."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aquadash.augment import PIPELINES, Branch, histograms, measure, op
from aquadash.augment.numbers import BranchNumbers, compared
from aquadash.errors import ConfigError

IMAGES = np.random.default_rng(5).integers(30, 226, (40, 16, 16, 3), dtype=np.uint8)


def numbers_of(*steps: object, images: np.ndarray = IMAGES) -> BranchNumbers:
    return measure(images, Branch("Tried", steps), seed=0, timed=False).branches[0]  # type: ignore[arg-type]


def test_clipping_is_counted_at_each_end() -> None:
    before = np.full((2, 4, 4, 3), 100, dtype=np.uint8)
    before[1] = 255
    after = before.copy()
    after[0, 0] = 255  # a quarter of the first image
    after[0, 1, :2] = 0  # an eighth of it
    found = compared(before, after, branch=Branch("b", (op("Fliplr", p=1.0),)))
    assert found.clipped_white == pytest.approx(1 / 8)
    assert found.clipped_black == pytest.approx(1 / 16)
    assert found.clipped == pytest.approx(3 / 16)
    assert found.unchanged == 0.5


def test_means_and_deviations_are_those_of_the_pixels() -> None:
    found = numbers_of(op("Add", value=20))
    for channel, change in enumerate(found.channels):
        assert change.mean_before == pytest.approx(IMAGES[..., channel].mean())
        assert change.deviation_before == pytest.approx(IMAGES[..., channel].std())
        assert change.mean_after == pytest.approx(change.mean_before + 20)
        assert change.deviation_after == pytest.approx(change.deviation_before)
    assert [change.name for change in found.channels] == ["red", "green", "blue"]


def test_what_may_be_wrong_is_warned_of() -> None:
    def kinds(found: BranchNumbers) -> list[str]:
        return [caution.kind for caution in found.cautions]

    white = numbers_of(op("Add", value=255))
    assert white.nearly_constant == 1.0 and kinds(white) == ["nearly constant"]
    after = np.zeros_like(IMAGES)
    after[:, :2] = IMAGES[:, :2]
    black = compared(IMAGES, after, branch=Branch("b", (op("Fliplr", p=1.0),)))
    assert black.mostly_black == 1.0 and black.nearly_constant == 0 and kinds(black) == ["mostly black"]
    rare = numbers_of(op("Fliplr", p=1.0, probability=0.25))
    assert 0.5 < rare.unchanged < 0.95 and kinds(rare) == ["unchanged"]
    assert kinds(numbers_of(op("Fliplr", p=1.0, enabled=False))) == ["all off"]


def test_originals_and_images_that_were_flat_or_black_before_are_not_the_pipelines_doing() -> None:
    original = numbers_of()
    assert original.original and not original.cautions and original.unchanged == 1.0
    flat = numbers_of(op("Fliplr", p=1.0), images=np.zeros((4, 8, 8, 3), dtype=np.uint8))
    assert flat.nearly_constant == 0 and flat.mostly_black == 0 and flat.unchanged == 1.0


def test_a_pipelines_numbers_are_plain_values_and_repeat() -> None:
    spec = PIPELINES["notebook"]
    found = measure(IMAGES, spec, seed=3)
    values = json.loads(json.dumps(found.to_dict()))
    assert values["pipeline"] == "notebook" and len(values["branches"]) == 5
    assert values["branches"][0]["images_per_second"] is None and values["branches"][4]["images_per_second"] > 0
    assert values["branches"][4]["clipped"] == found.branches[4].clipped
    first, again = (measure(IMAGES, spec, seed=3, timed=False) for _ in range(2))
    assert first == again
    assert first != measure(IMAGES, spec, seed=4, timed=False)


def test_one_branch_alone_is_measured_as_within_the_whole() -> None:
    spec = PIPELINES["notebook"]
    whole = measure(IMAGES, spec, seed=3, timed=False)
    assert measure(IMAGES, spec, branch=3, seed=3, timed=False).branches == (whole.branches[3],)
    with pytest.raises(ConfigError, match="0 to 4, not 5"):
        measure(IMAGES, spec, branch=5, seed=3)
    with pytest.raises(ValueError, match="no images"):
        measure(IMAGES[:0], spec, seed=0)


def test_histograms_count_every_level_of_each_channel() -> None:
    counts = histograms(IMAGES)
    assert counts.shape == (3, 256)
    assert (counts.sum(axis=1) == 40 * 16 * 16).all()
    assert counts[2, 100] == (IMAGES[..., 2] == 100).sum()
    assert (histograms(IMAGES.reshape(2, 20, 16, 16, 3)) == counts).all()
