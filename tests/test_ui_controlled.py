"""Controls whose value the page decides."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from aquadash.ui import inputs

    held = st.session_state.setdefault("held", 1.0)

    def moved(key: str) -> None:
        if inputs.has_changed(key, held):
            st.session_state["held"] = st.session_state[key]

    for stem in ("slider", "twin"):
        key = inputs.controlled_key(stem, held)
        st.slider(stem, 0.0, 9.0, held, step=0.1, key=key, on_change=moved, args=(key,))
    st.button("back", on_click=lambda: st.session_state.update(held=1.0))


def test_who_is_moved_keeps_its_key_and_who_follows_gets_a_new_one() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert [each.key for each in app.slider] == ["slider#0", "twin#0"]
    app.slider(key="slider#0").set_value(3.0000000000000004).run()
    assert [(each.key, round(each.value, 6)) for each in app.slider] == [("slider#0", 3.0), ("twin#1", 3.0)]
    app.slider(key="twin#1").set_value(5.0).run()
    assert [(each.key, each.value) for each in app.slider] == [("slider#1", 5.0), ("twin#1", 5.0)]


def test_what_a_new_control_reports_at_first_is_no_change() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    app.slider(key="slider#0").set_value(4.0).run()
    app.session_state["held"] = 6.0
    app.slider(key="twin#1").set_value(4.0).run()
    assert [each.value for each in app.slider] == [6.0, 6.0]


def test_the_page_sets_a_control_back() -> None:
    app = AppTest.from_function(page, default_timeout=60).run()
    app.slider(key="slider#0").set_value(4.0).run()
    app.button[0].click().run()
    assert [each.value for each in app.slider] == [1.0, 1.0]
    assert app.session_state["held"] == 1.0
