"""Fresh images against fixed copies: both ways are timed in turn, by the same training."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from aquadash.bench.fresh import bench_fresh
from aquadash.data import Dataset


@pytest.mark.slow
def test_both_ways_are_timed_in_turn_and_nothing_stays_behind(tiny_dataset: Dataset) -> None:
    before = {child.pid for child in psutil.Process().children()}
    told: list[float | None] = []
    result = bench_fresh(pairs=3, epochs_a_turn=2, dataset=tiny_dataset, progress=lambda _, share: told.append(share))
    assert (result.pipeline, result.images, result.pairs) == ("notebook-1", 51, 3)
    assert len(result.pair_ratios) == 3 and result.ratio == sorted(result.pair_ratios)[1]
    assert min(result.fresh_seconds, result.copies_seconds) > 0
    assert told == [None, 0, 1 / 3, 2 / 3]
    assert {child.pid for child in psutil.Process().children()} <= before


@pytest.mark.soak
def test_drawing_anew_makes_an_epoch_at_most_a_quarter_longer(home: Path) -> None:
    """Single pairs were seen from 0.8 to 1.4 on a quiet machine, so there are enough of them for a steady median.

    Few are enough where they leave the limit far above them: a median of five strays by less than a tenth.
    """
    if (few := bench_fresh(pairs=5)).ratio > 1.15:
        many = bench_fresh(pairs=15)
        assert many.ratio <= 1.25, (few.pair_ratios, many.pair_ratios)
