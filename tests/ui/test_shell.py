"""The frame of a page and its errors."""

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.errors import StorageError
from aquadash.pages import PAGES
from tests.support.app_pages import run_script

pytestmark = pytest.mark.usefixtures("no_engine")


def run(error: Exception | None = None, *, in_fragment: bool = False) -> AppTest:
    """Draw a page in which an error is raised, on the page itself or in a fragment of it."""

    def script(in_fragment: bool) -> None:
        import streamlit as st

        from aquadash.ui.kit import shell

        def fail() -> None:
            if (error := st.session_state["given"]) is not None:
                raise error

        with shell.page("train"):
            (shell.live(None)(fail) if in_fragment else fail)()
            st.write("body")
        st.write("after")

    return run_script(script, in_fragment, state=error)


def test_a_page_drawn_without_its_frame_is_closed_to_strangers(class_pages: None) -> None:
    app = run()
    assert [error.value for error in app.error] == ["Join the class to see this page."]
    assert "body" not in [entry.value for entry in app.markdown]


def test_our_errors_are_shown_as_text() -> None:
    app = run(StorageError("The folder *home* cannot be written. Free some space."))
    assert app.error[0].value == "The folder \\*home\\* cannot be written. Free some space."
    assert not app.exception
    assert [entry.value for entry in app.markdown] == [PAGES["train"].question, "after"], "the rest is there"


def test_other_errors_are_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    app = run(ValueError("secret detail"))
    assert not app.exception
    assert "secret detail" not in app.error[0].value
    assert "secret detail" in caplog.text


def test_a_full_disk_is_named() -> None:
    assert "No space left on device" in run(OSError(28, "No space left on device")).error[0].value


def test_a_fragment_fails_by_itself() -> None:
    app = run(StorageError("No part."), in_fragment=True)
    assert app.error[0].value == "No part."
    assert [entry.value for entry in app.markdown][-2:] == ["body", "after"]
