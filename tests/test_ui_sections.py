"""A page's sections: the one that is looked at is drawn, what fails in it is said in its place."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.people import Person, Role
from aquadash.ui import warmup


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "start", lambda: None)


def script() -> None:
    import streamlit as st

    from aquadash.errors import StorageError
    from aquadash.ui.sections import Section, Sections

    def broken(name: str) -> None:
        raise StorageError(f"No {name}.")

    made = Sections(
        "view",
        "Views",
        {
            "fish": Section("🐟 Fish", lambda name: st.write(f"fish, {name}"), question="How many swim?"),
            "broken": Section("Broken", broken),
            "marks": Section("Marks", lambda name: st.write("marks"), for_teacher=True),
        },
    )
    section = made.choose()
    st.write(f"shown: {section.show('Anna')}")


def open_script(**address: str) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> list[str]:
    return [element.value for element in (*app.caption, *app.markdown, *app.error)]


def test_the_first_section_is_the_default_with_its_question_below_the_buttons() -> None:
    app = open_script()
    assert app.segmented_control(key="view").options == ["Fish", "Broken", "Marks"]
    assert said(app) == ["How many swim?", "fish, Anna", "shown: None"]


def test_what_fails_in_a_section_is_said_in_its_place_and_the_page_goes_on() -> None:
    assert said(open_script(view="broken")) == ["shown: None", "No Anna."]


def test_students_do_not_have_what_is_for_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "marks" in said(open_script(view="marks"))
    monkeypatch.setattr("aquadash.ui.sections.visitor", lambda: Person("1", "Anna", Role.STUDENT))
    app = open_script(view="marks")
    assert app.segmented_control(key="view").options == ["Fish", "Broken"]
    assert "fish, Anna" in said(app) and "marks" not in said(app)
