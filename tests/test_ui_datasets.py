"""The data sets that pages show."""

from __future__ import annotations

import pytest

from aquadash import data
from aquadash.data import Source
from aquadash.errors import DataError, UnknownNameError
from aquadash.ui import datasets


def test_a_data_set_is_never_downloaded_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*, progress: object = None) -> data.Dataset:
        raise AssertionError("nobody asked")

    monkeypatch.setitem(data.sources.BUILT_IN, "far", Source("far", "Far images", "", False, load, key=lambda: None))
    with pytest.raises(DataError, match="Far images is not on this computer yet"):
        datasets.dataset("far")
    with pytest.raises(UnknownNameError):
        datasets.dataset("farther")
