"""The confusion matrix as a control."""

from __future__ import annotations

import pytest

from aquadash.ui.evaluate.scores import cell_of


def test_a_clicked_cell_is_its_markers_customdata() -> None:
    assert cell_of([2, 3], classes=5) == (2, 3)


@pytest.mark.parametrize("customdata", [[2, 9], [-1, 0], ["2", "3"], [2], [1.5, 2], [True, 2], []])
def test_a_selection_of_another_matrix_is_ignored(customdata: list[object]) -> None:
    assert cell_of(customdata, classes=5) is None
