"""Widgets bound to the address: value, default in each run, note and record."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_pages import run_script


def page() -> None:
    import streamlit as st

    from aquadash.ui.kit import bound, inputs

    animals = {"otter": "Sea otter", "seal": "Grey seal"}
    st.session_state["said"] = {
        "menu": bound.menu("menu", animals, label="Menu"),
        "radio": bound.menu("radio", animals, label="Radio", default="seal", widget=inputs.radio),
        "choice": bound.choice("choice", animals, label="Choice"),
        "stated": bound.choice("stated", ["yes", "no"], label="Stated", omitted=""),
        "several": bound.choices("several", animals, label="Several"),
        "number": bound.number("number", 1, 9, label="Number", default=3),
        "rate": bound.number("rate", 0.0, 1.0, label="Rate", default=0.25, step=0.05, into=st.expander("Folded")),
        "slider": bound.slider("slider", 0, 100, label="Slider", default=50, clamp=True),
        "interval": bound.interval("interval", 0, 100, label="Interval"),
        "toggle": bound.toggle("toggle", label="Toggle"),
        "text": bound.text("text", label="Text", longest=12),
    }


DEFAULTS: dict[str, Any] = {
    "menu": "otter", "radio": "seal", "choice": "otter", "stated": "yes", "several": [], "number": 3, "rate": 0.25,
    "slider": 50, "interval": (0, 100), "toggle": False, "text": "",
}  # fmt: skip

#: Texts of the address, their values, and the defaults in the messages to the browser.
MEANT: dict[str, tuple[str, Any, Any]] = {
    "menu": ("seal", "seal", 1),
    "radio": ("otter", "otter", 0),
    "choice": ("seal", "seal", [1]),
    "stated": ("no", "no", [1]),
    "several": ("seal,otter", ["seal", "otter"], [1, 0]),
    "number": ("7", 7, 7),
    "rate": ("0.5", 0.5, 0.5),
    "slider": ("500", 100, [100]),
    "interval": ("20-40", (20, 40), [20, 40]),
    "toggle": ("1", True, True),
    "text": ("deep", "deep", "deep"),
}


def address(app: AppTest) -> dict[str, str]:
    # AppTest returns a list for a parameter that the test has set.
    held = {name: app.query_params[name] for name in app.query_params}
    return {name: text if isinstance(text, str) else text[0] for name, text in held.items()}


def test_a_bare_address_gives_the_defaults_and_stays_bare() -> None:
    app = run_script(page)
    assert app.session_state["said"] == DEFAULTS
    assert address(app) == {"stated": "yes"}


def test_the_address_gives_the_values_in_every_run() -> None:
    app = run_script(page, **{name: text for name, (text, _, _) in MEANT.items()})
    for _ in range(2):
        assert app.session_state["said"] == {name: value for name, (_, value, _) in MEANT.items()}
        assert not app.info
        assert address(app) == {name: text for name, (text, _, _) in MEANT.items()} | {"slider": "100"}
        for name, (_, _, default) in MEANT.items():
            said = next(each for each in app.main if each.key == name).proto.default
            assert (said if isinstance(said, (int, float, str, bool)) else list(said)) == default, name
        app.run()


def test_the_widgets_values_are_recorded() -> None:
    app = run_script(page)
    app.selectbox(key="menu").set_value("seal")
    app.multiselect(key="several").set_value(["seal", "otter"])
    app.slider(key="interval").set_value((20, 40))
    app.toggle(key="toggle").set_value(True)
    app.number_input(key="number").set_value(7).run()
    recorded = {"menu": "seal", "several": "seal,otter", "interval": "20-40", "toggle": "1", "number": "7"}
    assert address(app) == recorded | {"stated": "yes"}
    assert app.selectbox(key="menu").options == ["Sea otter", "Grey seal"]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("menu", "<b>cat</b>"), ("choice", "Grey seal"), ("several", "seal,cat"), ("slider", "x"),
        ("number", "10"), ("number", "2.5"), ("number", "-1"), ("number", "x"), ("number", "9" * 5000),
        ("rate", "nan"), ("rate", "1.5"), ("rate", "inf"), ("rate", "1" * 5000),
        ("interval", ""), ("interval", "-"), ("interval", "20"), ("interval", "40-20"), ("interval", "0-101"),
        ("interval", "-5-50"), ("interval", "1.5-2"), ("interval", "٣-50"), ("interval", "1-2-3"),
        ("interval", "0" * 400 + "-1"), ("toggle", "true"), ("text", "a" * 13),
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_used_gives_a_note_and_the_default(name: str, bad: str) -> None:
    app = run_script(page, **{name: bad})
    assert app.session_state["said"] == DEFAULTS
    assert [f"asks for {name}" in info.value for info in app.info] == [True]
    assert app.expander[0].number_input and not app.expander[0].info, "a note is not folded away"
    assert "<b>" not in app.info[0].value.replace("\\<b>", ""), "no markup"
    assert address(app) == {"stated": "yes"}
