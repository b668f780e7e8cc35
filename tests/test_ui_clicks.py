"""What a chart's selection holds, and that a click counts once."""

from __future__ import annotations

import pytest
import streamlit as st

from aquadash.ui import components


def selection(customdata: object) -> dict[str, object]:
    return {"selection": {"points": [{"customdata": customdata}]}}


def test_a_click_counts_once_until_there_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    assert components.new_click("chart") is None
    state["chart"] = selection([1, 0.5])
    assert components.new_click("chart") == [1, 0.5]
    assert components.new_click("chart") is None
    state["chart"] = selection([2, 0.5])
    assert components.new_click("chart") == [2, 0.5]
    # Drawn anew, the chart has lost its selection: the same point may be clicked again.
    state["chart"] = {"selection": {"points": []}}
    assert components.new_click("chart") is None
    state["chart"] = selection([2, 0.5])
    assert components.new_click("chart") == [2, 0.5]


@pytest.mark.parametrize("state", [None, {}, {"selection": {"points": []}}, selection("ab"), selection(None), 3])
def test_anything_else_is_no_click(state: object) -> None:
    assert components.clicked(state) is None


def test_values_are_checked() -> None:
    assert [components.clicked_index(value, below=3) for value in (0, 2, 2.0, 3, -1, 1.5, True, "1", None)] == [
        0, 2, 2, None, None, None, None, None, None,
    ]  # fmt: skip
    assert [components.clicked_fraction(value) for value in (0, 0.4, 1, 1.01, -0.1, "0", None, True)] == [
        0.0, 0.4, 1.0, None, None, None, None, None,
    ]  # fmt: skip
    assert components.clicked_fraction(float("nan")) is None and components.clicked_index(float("nan"), below=3) is None
