"""The bench of the Augment page's pictures."""

from __future__ import annotations

import json

import pytest

from aquadash.bench.preview import bench_preview


def test_each_of_the_reports_pipelines_is_timed() -> None:
    timings = bench_preview(repeats=3)
    values = json.loads(json.dumps(timings.to_dict()))
    assert [entry["pipeline"] for entry in values["pipelines"]] == [f"notebook-{number}" for number in range(1, 5)]
    assert values["images"] == 16 and values["draws"] == 4 and values["repeats"] == 3
    for entry in timings.pipelines:
        assert 0 < entry.build_ms < entry.draw_ms < entry.draws_ms
        assert entry.film_strip_ms > 0


def test_no_repeats_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        bench_preview(repeats=0)
