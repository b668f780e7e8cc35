"""Input widgets that begin with what the session holds, in every run and not only in the first."""

import ast
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.ui.kit import inputs
from tests.support.app_pages import run_script

ROOT = Path(__file__).resolve().parents[2]

INPUTS = {name for name, each in vars(inputs).items() if hasattr(each, "__wrapped__")}


ANIMALS = {"options": ["beaver", "otter", "seal"]}

#: By widget: its arguments, the value in the session, and the default in the message to the browser.
WIDGETS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "selectbox": ({**ANIMALS, "format_func": str.upper}, "seal", 2),
    "radio": (ANIMALS, "seal", 2),
    "multiselect": ({**ANIMALS, "default": ["beaver"]}, ["otter", "seal"], [1, 2]),
    "segmented_control": (ANIMALS, "otter", [1]),
    "pills": ({**ANIMALS, "selection_mode": "multi"}, ["seal"], [2]),
    "slider": ({"min_value": 0, "max_value": 9}, (3, 5), [3, 5]),
    "select_slider": (ANIMALS, "otter", [1]),
    "number_input": ({"min_value": 0.0, "max_value": 1.0, "step": 0.05}, 0.25, 0.25),
    "text_input": ({}, "dive", "dive"),
    "text_area": ({}, "deep", "deep"),
    "checkbox": ({}, True, True),
    "toggle": ({}, True, True),
}


def page() -> None:
    for name, (arguments, held, _) in WIDGETS.items():
        st.session_state.setdefault(name, held)
        st.session_state[f"said {name}"] = getattr(inputs, name)(name, key=name, **arguments)


def defaults(app: AppTest) -> dict[str, Any]:
    """Return the values in the messages of the latest run."""
    protos = {each.key: each.proto for kind in (*INPUTS, "button_group") for each in app.get(kind) if each.key}
    # AppTest files away both kinds of sliders, and checkboxes and toggles, under one name each.
    assert set(protos) == INPUTS
    plain = {}
    for key, proto in protos.items():
        default = proto.default
        plain[key] = default if isinstance(default, (int, float, str, bool)) else list(default)
    return plain


def said(app: AppTest) -> dict[str, Any]:
    return {name: app.session_state[f"said {name}"] for name in WIDGETS}


def test_every_run_sends_the_session_s_values() -> None:
    app = run_script(page)
    held = {name: value for name, (_, value, _) in WIDGETS.items()}
    expected = {name: sent for name, (_, _, sent) in WIDGETS.items()}
    for _ in range(2):
        assert (said(app), defaults(app)) == (held, expected)
        assert not app.run().exception
    app.selectbox(key="selectbox").set_value("beaver")
    app.toggle(key="toggle").set_value(False)
    app.multiselect(key="multiselect").set_value([]).run()
    assert said(app) == held | {"selectbox": "beaver", "toggle": False, "multiselect": []}
    assert defaults(app) == expected | {"selectbox": 0, "toggle": False, "multiselect": []}


def unusable() -> None:
    for key, value in {"whole": 3, "secret": "open sesame", "menu": "seal", "limit": 3, "beyond": 12}.items():
        st.session_state.setdefault(key, value)
    inputs.number_input("Rate", 0.0, 9.0, key="whole")
    inputs.text_input("Code", type="password", key="secret")
    inputs.selectbox("Animal", ["otter", "seal"], index=None, key="menu")
    inputs.number_input("Limit", 0, 9, None, key="limit")
    inputs.number_input("Beyond", 0, 9, key="beyond")
    inputs.toggle("Without a key", True)


def test_a_value_that_cannot_be_a_default_is_left_to_streamlit() -> None:
    app = run_script(unusable)
    assert not app.exception
    assert app.text_input(key="secret").proto.default == ""
    # These can be emptied, which Streamlit allows only where the default is empty.
    assert (app.selectbox(key="menu").value, app.number_input(key="limit").value) == ("seal", 3)
    assert not app.selectbox(key="menu").proto.HasField("default")
    assert not app.number_input(key="limit").proto.HasField("default")
    assert app.toggle[0].value is True


def renamed_options() -> None:
    titles = {"a": st.session_state.get("title", "Otter"), "b": "Seal"}
    st.session_state.setdefault("one", "a")
    st.session_state.setdefault("several", ["b", "a"])
    inputs.selectbox("Animal", list(titles), key="one", format_func=titles.__getitem__)
    inputs.multiselect("Animals", list(titles), key="several", format_func=titles.__getitem__)


def test_a_chosen_option_with_another_title_is_sent_again() -> None:
    app = run_script(renamed_options).run()

    def sent() -> list[bool]:
        return [app.selectbox(key="one").proto.set_value, app.multiselect(key="several").proto.set_value]

    assert sent() == [False, False]
    app.session_state["title"] = "Sea otter"
    assert not app.run().exception
    assert sent() == [True, True]
    assert (app.selectbox(key="one").value, app.multiselect(key="several").value) == ("a", ["b", "a"])
    app.run()
    assert sent() == [False, False]


def test_pages_take_their_input_widgets_from_there() -> None:
    paths = [ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("aquadash/ui/**/*.py")]
    others = {"inputs", "bound"}
    elsewhere = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in paths
        if path.name != "inputs.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in INPUTS and ast.unparse(node.value) not in others
    ]
    assert elsewhere == [], "use aquadash.ui.kit.inputs"


def controlled_page() -> None:
    held = st.session_state.setdefault("held", 1.0)

    def take(value: float) -> None:
        st.session_state["held"] = value

    for stem in ("slider", "twin"):
        inputs.render_controlled(inputs.slider, stem, 0.0, 9.0, stem=stem, value=held, take=take, step=0.1)
    st.button("back", on_click=lambda: st.session_state.update(held=1.0))


def test_a_moved_control_keeps_its_key_and_one_that_is_set_gets_a_new_key() -> None:
    app = run_script(controlled_page)
    assert [each.key for each in app.slider] == ["slider#0", "twin#0"]
    app.slider(key="slider#0").set_value(3.0000000000000004).run()
    assert [(each.key, round(each.value, 6)) for each in app.slider] == [("slider#0", 3.0), ("twin#1", 3.0)]
    app.slider(key="twin#1").set_value(5.0).run()
    assert [(each.key, each.value) for each in app.slider] == [("slider#1", 5.0), ("twin#1", 5.0)]
    app.button[0].click().run()
    assert [each.value for each in app.slider] == [1.0, 1.0], "the page sets them back"
