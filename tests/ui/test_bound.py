"""Widgets bound to the address: value, default in each run, note and record."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.ui.kit import bound
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


#: By name: the default, a text of the address, and its value.
WIDGETS: dict[str, tuple[Any, str, Any]] = {
    "menu": ("otter", "seal", "seal"),
    "radio": ("seal", "otter", "otter"),
    "choice": ("otter", "seal", "seal"),
    "stated": ("yes", "no", "no"),
    "several": ([], "seal,otter", ["seal", "otter"]),
    "number": (3, "7", 7),
    "rate": (0.25, "0.5", 0.5),
    "slider": (50, "500", 100),
    "interval": ((0, 100), "20-40", (20, 40)),
    "toggle": (False, "1", True),
    "text": ("", "deep", "deep"),
}
DEFAULTS, TEXTS, VALUES = (dict(zip(WIDGETS, column, strict=True)) for column in zip(*WIDGETS.values(), strict=True))

#: Texts that an address may have for a widget, separated by spaces, and others; none can be used.
UNUSABLE = {
    "menu": "<b>cat</b>",
    "several": "seal,cat",
    "slider": "x",
    "number": "10 2.5 -1 x " + "9" * 5000,
    "rate": "nan 1.5 inf " + "1" * 5000,
    "interval": "- 20 40-20 0-101 -5-50 1.5-2 ٣-50 1-2-3 " + "0" * 400 + "-1",
    "toggle": "true",
    "text": "a" * 13,
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
    app = run_script(page, **TEXTS)
    for _ in range(2):
        assert app.session_state["said"] == VALUES
        assert not app.info
        assert address(app) == TEXTS | {"slider": "100"}
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
        ("choice", "Grey seal"),
        ("interval", ""),
        *((name, text) for name, texts in UNUSABLE.items() for text in texts.split()),
    ],
)
def test_a_text_that_cannot_be_used_gives_a_note_and_the_default(name: str, bad: str) -> None:
    app = run_script(page, **{name: bad})
    assert app.session_state["said"] == DEFAULTS
    assert [f"asks for {name}" in info.value for info in app.info] == [True]
    assert app.expander[0].number_input and not app.expander[0].info, "a note is not folded away"
    assert "<b>" not in app.info[0].value.replace("\\<b>", ""), "no markup"
    assert address(app) == {"stated": "yes"}


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("flips:3, shifts,shifts", ["flips:3, shifts", "shifts"]),
        ("flips,x,,shifts,", ["flips", "shifts"]),
        pytest.param("flips," * 10_000, ["flips"], id="long"),
    ],
)
def test_options_with_commas_are_read_from_an_address(text: str, chosen: list[str]) -> None:
    assert bound.several_of(["flips", "flips:3, shifts", "shifts"], ignored=["x"]).parse(text) == chosen
