"""Training images by class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aquadash.coach import counting, training_counts
from aquadash.data import Dataset
from aquadash.data.sources import BUILT_IN
from aquadash.errors import DataError
from tests.coach_runs import run


def test_images_are_counted_by_class(tiny_dataset: Dataset) -> None:
    mine = replace(run(), dataset_fingerprint=tiny_dataset.fingerprint)
    assert training_counts(mine, lambda source: tiny_dataset) == {"red": 20, "green": 20, "blue": 20}


def test_other_images_than_the_runs_do_not_count(tiny_dataset: Dataset) -> None:
    assert training_counts(replace(run(), dataset_fingerprint="0" * 64), lambda source: tiny_dataset) == {}


def test_images_that_are_gone(monkeypatch: pytest.MonkeyPatch, tiny_dataset: Dataset) -> None:
    mine = replace(run(), dataset_fingerprint=tiny_dataset.fingerprint)

    def refuse(source: str) -> Dataset:
        raise DataError("The archive is damaged.")

    assert training_counts(mine, refuse) == {}
    monkeypatch.setitem(
        BUILT_IN, "synthetic", replace(counting.SOURCES["synthetic"], key=lambda: None)
    )  # Nothing here yet: loading would download it.
    assert training_counts(mine, lambda source: tiny_dataset) == {}
    assert training_counts(run({"data.source": "gone"}), refuse) == {}
