"""The bench times the report's loop and ours in turn."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.bench.augment import bench_augment, report_pipelines, report_run


def test_the_result_is_the_median_of_the_pairs() -> None:
    told: list[float | None] = []
    images = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    timing = bench_augment(pairs=3, images=images, progress=lambda _, share: told.append(share))
    assert timing.images == 30
    assert len(timing.pair_ratios) == 3
    assert timing.ratio == sorted(timing.pair_ratios)[1]
    assert timing.report_seconds > 0 and timing.aquadash_seconds > 0
    assert told[-1] == 1.0 and len(told) == 6


def test_the_reports_loop_yields_five_times_the_images() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(6)
    result, repeated, _ = report_run(report_pipelines(), images, labels)
    np.testing.assert_array_equal(result[:6], images)
    np.testing.assert_array_equal(repeated, np.tile(labels, 5))
    np.testing.assert_array_equal(result[6:12][:, 0, 0].shape, (6, 3))


class _FailsOnce:
    """A pipeline that stops once with imgaug's error."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, *, image: np.ndarray) -> np.ndarray:
        self.calls += 1
        assert self.calls != 2
        return image


def test_imgaugs_error_is_counted_and_asked_again() -> None:
    images = np.zeros((4, 8, 8, 3), dtype=np.uint8)
    same = report_pipelines()[0]
    result, _, failures = report_run((same, same, same, _FailsOnce()), images, np.zeros(4, dtype=np.int64))
    assert failures == 1
    assert len(result) == 20


def test_at_least_one_pair() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        bench_augment(pairs=0)
