"""Parts that pages are made of."""

from __future__ import annotations

import re

import pytest
import streamlit as st

from aquadash.settings import PROJECT_ROOT
from aquadash.ui import components
from aquadash.ui.glossary import GLOSSARY
from tests.app_pages import run_script


def test_every_term_that_is_used_is_explained() -> None:
    unexplained = [
        f"{path.relative_to(PROJECT_ROOT)}: {name}"
        for path in [*PROJECT_ROOT.glob("pages/*.py"), *PROJECT_ROOT.glob("aquadash/ui/**/*.py")]
        for name in re.findall(r'\bterm\("([^"]+)"\)', path.read_text(encoding="utf-8"))
        if name not in GLOSSARY
    ]
    assert unexplained == []


def picker() -> None:
    import streamlit as st

    from aquadash.config import RunConfig
    from aquadash.store.types import Run, RunStatus
    from aquadash.ui import components

    runs = [Run(digit * 32, f"run *{digit}*", RunStatus.FINISHED, RunConfig(), 0.0) for digit in "abc"]
    chosen = components.run_picker(runs)
    st.write("none" if chosen is None else chosen.run_id)


def test_a_link_chooses_a_run_by_its_id_or_the_start_of_it_and_a_stale_one_none_with_a_way_out() -> None:
    cold = run_script(picker, run="deadbeef")
    assert cold.markdown[0].value == "none" and cold.warning
    app = run_script(picker, run="b")
    for text in ("b" * 32, "c" * 8, "a"):
        app.query_params["run"] = text
        app.run()
        assert app.markdown[0].value == text[0] * 32 and not app.warning
    for text in ("deadbeef", "<b>", "", "a" * 33):
        app.query_params["run"] = text
        app.run()
        assert app.markdown[0].value == "none" and "it may have been deleted" in app.warning[0].value
    app.selectbox(key="run").set_value("b" * 32).run()
    assert app.markdown[0].value == "b" * 32
    assert not app.warning


def clicked(monkeypatch: pytest.MonkeyPatch, told: object) -> tuple[object, ...] | None:
    """Return the click that a page gets from this message of the browser."""
    monkeypatch.setattr(st, "session_state", {"chart-clicks": {"clicked": told}})
    monkeypatch.setattr(st, "query_params", {"run": "a"})
    monkeypatch.setattr(components, "_CLICKS", lambda *, on_clicked_change, **_: on_clicked_change())
    return components.new_click("chart", 5, None)


def test_a_click_tells_the_numbers_of_its_point(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clicked(monkeypatch, [1, 0.5]) == (1, 0.5)
    assert clicked(monkeypatch, [0, 0]) == (0, 0)


@pytest.mark.parametrize(
    "customdata",
    [[5, 0], [-1, 0], [1.5, 0], [True, 0], ["1", 0], [None, 0], [float("nan"), 0], [1, 1.01], [1, -0.1], [1, "0"],
     [1, True], [1, float("nan")], [1], [1, 0.5, 2], [], None, "ab", {}, 3],
)  # fmt: skip
def test_anything_else_is_no_click(customdata: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clicked(monkeypatch, customdata) is None
