"""The filters of the test images."""

from __future__ import annotations

import numpy as np

from aquadash.runs import Predictions
from aquadash.ui.image_browser import Filters


def test_filters_choose_positions() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]], np.float32)
    predictions = Predictions(np.array([40, 41, 42, 43]), labels, probabilities)

    mistakes = Filters(None, None, "wrong", (0.0, 1.0), "most confident")
    assert mistakes.apply(predictions).tolist() == [1, 2]
    cell = Filters(1, 0, "all", (0.0, 1.0), "index")
    assert cell.apply(predictions).tolist() == [2]
