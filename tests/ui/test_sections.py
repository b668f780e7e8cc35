"""A page's sections: the one that is looked at is drawn, what fails in it is said in its place."""

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.people import Person, Role
from tests.support.app_pages import address_of, run_script
from tests.support.classrooms import join, look_as

pytestmark = pytest.mark.usefixtures("no_engine")


def script() -> None:
    import streamlit as st

    from aquadash.errors import StorageError
    from aquadash.ui.kit.lab import visitor
    from aquadash.ui.kit.sections import Section, Sections

    def broken(name: str) -> None:
        raise StorageError(f"No {name}.")

    made = Sections(
        "view",
        "Views",
        {
            "fish": Section("🐟 Fish", lambda name: st.write(f"fish, {name}")),
            "broken": Section("Broken", broken),
            "marks": Section("Marks", lambda name: st.write("marks"), offered=lambda: visitor().leads),
        },
    )
    section = made.choose()
    st.write(f"shown: {section.render('Anna')}")


def tabbed_script() -> None:
    import streamlit as st

    from aquadash.ui.kit.sections import Section, Sections

    table = {
        word: Section(word.title(), st.write, group=group)
        for word, group in (("cod", "Fish"), ("otter", "Mammals"), ("seal", "Mammals"), ("crab", "Others"))
    }
    made = Sections("view", "Views", table)
    made.choose().render(f"drawn: {st.session_state['view']}")


def said(app: AppTest) -> list[str]:
    return [element.value for element in (*app.caption, *app.markdown, *app.error)]


def test_the_first_section_is_the_default_and_what_fails_in_another_is_said_in_its_place() -> None:
    app = run_script(script)
    assert app.segmented_control(key="view").options == ["Fish", "Broken", "Marks"]
    assert said(app) == ["fish, Anna", "shown: None"]
    assert said(run_script(script, view="broken")) == ["shown: None", "No Anna."]


def test_students_do_not_have_what_is_for_the_teacher(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app = run_script(script, view="marks")
    assert app.segmented_control(key="view").options == ["Fish", "Broken"]
    assert "fish, Anna" in said(app) and "marks" not in said(app)
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert "marks" in said(run_script(script, view="marks"))


def test_sections_in_groups_are_tabs_of_which_each_opens_its_first_section() -> None:
    app = run_script(tabbed_script)
    tabs = app.segmented_control(key="view-group")
    assert (tabs.options, tabs.value) == (["Fish", "Mammals", "Others"], "Fish")
    assert said(app) == ["drawn: cod"] and len(app.segmented_control) == 1
    tabs.set_value("Mammals").run()
    assert said(app) == ["drawn: otter"] and app.segmented_control(key="view").options == ["Otter", "Seal"]
    app.segmented_control(key="view").set_value("seal").run()
    assert said(app) == ["drawn: seal"] and address_of(app, "view") == "seal"
    app.segmented_control(key="view-group").set_value("Others").run()
    assert said(app) == ["drawn: crab"] and address_of(app, "view") == "crab"
    app.segmented_control(key="view-group").set_value("Fish").run()
    assert said(app) == ["drawn: cod"] and address_of(app, "view") is None
