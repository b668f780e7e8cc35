"""The frame of a page, its sections, and their errors, which are said in their place."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.errors import StorageError
from aquadash.pages import PAGES
from aquadash.ui.kit import shell
from aquadash.ui.kit.sections import Section, Sections
from tests.support.app_pages import address_of, run_script

pytestmark = pytest.mark.usefixtures("no_engine")


def run(error: Exception | None = None, *, in_fragment: bool = False) -> AppTest:
    """Draw a page in which an error is raised, on the page itself or in a fragment of it."""

    def fail() -> None:
        if error is not None:
            raise error

    def script() -> None:
        with shell.page("train"):
            (shell.live(None)(fail) if in_fragment else fail)()
            st.write("body")
        st.write("after")

    return run_script(script)


def test_a_page_drawn_without_its_frame_is_closed_to_strangers(class_pages: None) -> None:
    app = run()
    assert [error.value for error in app.error] == ["Join the class to see this page."]
    assert "body" not in [entry.value for entry in app.markdown]


def test_an_error_is_shown_as_text_in_its_place_and_an_unexpected_one_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = run(StorageError("The folder *home* cannot be written. Free some space."))
    assert app.error[0].value == "The folder \\*home\\* cannot be written. Free some space."
    assert [entry.value for entry in app.markdown] == [PAGES["train"].question, "after"], "the rest is there"
    app = run(StorageError("No part."), in_fragment=True)
    assert app.error[0].value == "No part."
    assert [entry.value for entry in app.markdown][-2:] == ["body", "after"]
    assert "No space left on device" in run(OSError(28, "No space left on device")).error[0].value
    app = run(ValueError("secret detail"))
    assert "secret detail" not in app.error[0].value and "secret detail" in caplog.text


def tabbed_script() -> None:
    def fail(text: str) -> None:
        raise StorageError("No crab.")

    groups = {"cod": "Fish", "otter": "Mammals", "seal": "Mammals"}
    table = {word: Section(word.title(), st.write, group=group) for word, group in groups.items()}
    table["crab"] = Section("Crab", fail, group="Others")
    made = Sections("view", "Views", table)
    made.choose().render(f"drawn: {st.session_state['view']}")


def said(app: AppTest) -> list[str]:
    return [element.value for element in (*app.caption, *app.markdown, *app.error)]


def test_sections_in_groups_are_tabs_that_open_their_first_section_and_an_error_stays_in_its_section() -> None:
    app = run_script(tabbed_script)
    tabs = app.segmented_control(key="view-group")
    assert (tabs.options, tabs.value) == (["Fish", "Mammals", "Others"], "Fish")
    assert said(app) == ["drawn: cod"] and len(app.segmented_control) == 1
    tabs.set_value("Mammals").run()
    assert said(app) == ["drawn: otter"] and app.segmented_control(key="view").options == ["Otter", "Seal"]
    app.segmented_control(key="view").set_value("seal").run()
    assert said(app) == ["drawn: seal"] and address_of(app, "view") == "seal"
    app.segmented_control(key="view-group").set_value("Others").run()
    assert said(app) == ["No crab."] and address_of(app, "view") == "crab"
    app.segmented_control(key="view-group").set_value("Fish").run()
    assert said(app) == ["drawn: cod"] and address_of(app, "view") is None
