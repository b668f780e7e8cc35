"""Values go from the address to widgets and back, also bad ones and with a slow browser's late messages."""

from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.ui.kit import address, bound, inputs
from aquadash.ui.kit.components import id_picker
from tests.support.app_pages import go_back, run_script


def script() -> None:
    st.button("Seven", on_click=address.assign, args=("seed", 7))
    if "cut" in st.query_params:
        st.stop()
    animals = ["otter", "seal", "whale"]
    bound.menu("animal", animals, label="Animal", default="seal")
    bound.number("seed", 0, 99, label="Seed", default=0)


@pytest.fixture
def app() -> AppTest:
    return run_script(script)


def test_a_widget_and_a_button_that_sets_one_set_the_address(app: AppTest) -> None:
    app.selectbox[0].set_value("otter").run()
    app.button[0].click().run()
    assert (app.query_params["animal"], app.query_params["seed"]) == ("otter", "7")
    app.selectbox[0].set_value("seal").run()
    assert "animal" not in app.query_params, "the default is not written"


def by_itself() -> None:
    if st.session_state.pop("by itself", False):
        address.draw_again()
    if st.session_state.pop("merged message", False):
        st.session_state["seed"] = 0
    address.begin()
    bound.number("seed", 0, 99, label="Seed", default=0)
    if st.session_state.pop("while it is drawn", False):
        address.draw_again()
    address.drawn()


def test_a_page_that_draws_itself_again_keeps_its_address(clock: list[float]) -> None:
    app = run_script(by_itself)
    app.number_input[0].set_value(7).run()
    for link, merged in (({}, False), ({"seed": "3", "run": "before"}, False), ({}, True)):
        clock[0] += 10  # No message is a late one.
        app.session_state["merged message"] = merged
        app.session_state["seed"] = 0  # The browser sends the old value.
        app.session_state["by itself"] = True
        go_back(app, **link)
        assert app.number_input[0].value == 7 and dict(app.query_params) == {"seed": "7"}
    clock[0] += 10
    app.session_state["while it is drawn"] = True
    go_back(app, seed="3", run="other")
    assert app.number_input[0].value == 3 and app.query_params["run"] == "other", "a link"


def test_an_assigned_value_outlives_a_message_and_an_address_with_an_old_one(app: AppTest) -> None:
    app.query_params["cut"] = "1"
    app.button[0].click().run()
    del app.query_params["cut"]
    app.session_state["seed"] = 0  # The browser sends the old value.
    app.run()
    assert (app.number_input[0].value, app.query_params["seed"]) == (7, "7")
    app.number_input[0].set_value(0).run()
    assert app.number_input[0].value == 0 and "seed" not in app.query_params
    app = run_script(script, cut="1", seed="3")  # An address that was not read yet.
    app.button[0].click().run()
    del app.query_params["cut"]
    app.run()
    assert (app.number_input[0].value, app.query_params["seed"]) == (7, "7")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("aquadash.ui.kit.address.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_late_message_changes_nothing_but_its_own_widget(clock: list[float], app: AppTest) -> None:
    app.number_input[0].set_value(51).run()
    app.number_input[0].set_value(52).run()
    for late in (None, "51"):
        clock[0] += 10  # The script may be slow to come to it.
        if late is None:
            del app.query_params["seed"]
        else:
            app.query_params["seed"] = late
        app.number_input[0].set_value(app.number_input[0].value + 1).run()
    assert app.number_input[0].value == 54 and app.query_params["seed"] in ("54", ["54"])
    clock[0] += 0.5
    app.query_params["seed"] = "53"
    app.selectbox[0].set_value("otter").run()
    assert app.number_input[0].value == 54 and app.query_params["seed"] in ("54", ["54"])
    assert app.query_params["animal"] in ("otter", ["otter"])


def menus_with_new_words() -> None:
    # Streamlit gives the words themselves where the menu has them no longer.
    if st.session_state.pop("late message", False):
        st.session_state["animal"], st.session_state["run"] = "Seal, running", "Second, running"
    bound.menu("animal", {"otter": "Otter, running", "seal": "Seal, ended"}, label="Animal")
    id_picker({"a1": "First, running", "b2": "Second, ended"}, key="run", label="Run", thing="run", why_not=str)


def test_a_choice_outlives_a_late_message_with_the_words_from_before() -> None:
    app = run_script(menus_with_new_words, animal="seal", run="b2")
    app.session_state["late message"] = True
    app.run()
    assert [menu.value for menu in app.selectbox] == ["seal", "b2"] and not app.warning
    assert (app.query_params["animal"], app.query_params["run"]) == ("seal", "b2")


def test_a_link_works_at_once_and_back_after_a_second(clock: list[float], app: AppTest) -> None:
    app.selectbox[0].set_value("otter").run()
    go_back(app, animal="whale")
    assert app.selectbox[0].value == "whale"
    app.number_input[0].set_value(51).run()
    app.number_input[0].set_value(52).run()
    clock[0] += 1.1
    go_back(app, seed="51")
    assert app.number_input[0].value == 51
    clock[0] += 1.1
    go_back(app)
    assert app.number_input[0].value == 0


def two_pages() -> None:
    address.enter(st.session_state.get("here", "home"), shared=("source",))
    bound.number("sample", 0, 99, label="Sample", default=0)
    bound.text("source", label="Source", longest=20)


def test_a_page_forgets_the_parameters_of_the_page_before(clock: list[float]) -> None:
    app = run_script(two_pages)
    app.number_input[0].set_value(3).run()
    app.text_input[0].set_value("zoo").run()
    # A click on a link in the menu: the other page's address is bare, and comes at once.
    app.session_state["here"] = "predict"
    go_back(app)
    assert app.number_input[0].value == 0 and "sample" not in app.query_params
    assert app.text_input[0].value == "zoo" and app.query_params["source"] in ("zoo", ["zoo"]), "all pages share it"
    # The way back with a value in its address.
    app.session_state["here"] = "home"
    go_back(app, sample="5", source="zoo")
    assert app.number_input[0].value == 5 and app.query_params["sample"] in ("5", ["5"])


def page() -> None:
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


def parameters(app: AppTest) -> dict[str, str]:
    # AppTest returns a list for a parameter that the test has set.
    held = {name: app.query_params[name] for name in app.query_params}
    return {name: text if isinstance(text, str) else text[0] for name, text in held.items()}


def test_the_address_gives_the_values_in_every_run() -> None:
    app = run_script(page, **TEXTS)
    for _ in range(2):
        assert app.session_state["said"] == VALUES
        assert not app.info
        assert parameters(app) == TEXTS | {"slider": "100"}
        app.run()


def test_a_bare_address_gives_the_defaults_and_stays_bare_until_a_value_is_chosen() -> None:
    app = run_script(page)
    assert (app.session_state["said"], parameters(app)) == (DEFAULTS, {"stated": "yes"})
    app.selectbox(key="menu").set_value("seal")
    app.multiselect(key="several").set_value(["seal", "otter"])
    app.slider(key="interval").set_value((20, 40))
    app.toggle(key="toggle").set_value(True)
    app.number_input(key="number").set_value(7).run()
    recorded = {"menu": "seal", "several": "seal,otter", "interval": "20-40", "toggle": "1", "number": "7"}
    assert parameters(app) == recorded | {"stated": "yes"}
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
    assert parameters(app) == {"stated": "yes"}


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
