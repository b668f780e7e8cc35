"""The filters of the test images."""

from __future__ import annotations

import numpy as np
import pytest

from aquadash.runs import Predictions
from aquadash.ui.image_browser import Filters, decode_confidence


@pytest.mark.parametrize(("text", "expected"), [("0-100", (0, 100)), ("50-90", (50, 90)), ("7-7", (7, 7))])
def test_confidence_ranges_are_read(text: str, expected: tuple[int, int]) -> None:
    assert decode_confidence(text) == expected


@pytest.mark.parametrize("text", ["", "-", "50", "90-50", "0-101", "-5-50", "1.5-2", "٣-50", "1-2-3", "0" * 400 + "-1"])
def test_other_ranges_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode_confidence(text)


def test_filters_choose_positions() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]], np.float32)
    predictions = Predictions(np.array([40, 41, 42, 43]), labels, probabilities)

    mistakes = Filters(None, None, "wrong", (0.0, 1.0), "most confident")
    assert mistakes.apply(predictions).tolist() == [1, 2]
    cell = Filters(1, 0, "all", (0.0, 1.0), "index")
    assert cell.apply(predictions).tolist() == [2]
