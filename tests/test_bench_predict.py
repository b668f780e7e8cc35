"""The prediction benchmark."""

from __future__ import annotations

import json

import pytest

from aquadash.bench.predict import bench_predict


def test_both_ways_give_the_same_answer_and_ours_is_faster() -> None:
    result = bench_predict(pairs=5)

    assert result.max_difference < 1e-5
    assert result.ratio == pytest.approx(result.report_seconds / result.aquadash_seconds)
    assert result.ratio > 1.0
    assert json.loads(json.dumps(result.to_dict())) == {
        "ratio": result.ratio,
        "report_seconds": result.report_seconds,
        "aquadash_seconds": result.aquadash_seconds,
        "pairs": 5,
        "max_difference": result.max_difference,
    }
