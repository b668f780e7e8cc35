"""Which cell of the confusion matrix a chart's selection means."""

from __future__ import annotations

import pytest

from aquadash.ui.confusion import clicked_cell


def test_a_clicked_cell_is_its_markers_customdata() -> None:
    assert clicked_cell({"selection": {"points": [{"customdata": [2, 3]}]}}, classes=5) == (2, 3)


@pytest.mark.parametrize("customdata", [[2, 9], [-1, 0], ["2", "3"], [2], None])
def test_a_selection_of_another_matrix_is_ignored(customdata: object) -> None:
    state = {"selection": {"points": [{"customdata": customdata}]}}
    assert clicked_cell(state, classes=5) is None
    assert clicked_cell({"selection": {"points": []}}, classes=5) is None
    assert clicked_cell(None, classes=5) is None
