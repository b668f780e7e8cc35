"""The frame of a page and its errors."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.pages import PAGES
from tests.support.app_pages import run_script

pytestmark = pytest.mark.usefixtures("no_engine")


def run(kind: str) -> AppTest:
    def script(kind: str) -> None:
        import streamlit as st

        from aquadash.errors import StorageError
        from aquadash.ui.kit import shell

        with shell.page("train"):
            if kind == "own":
                raise StorageError("The folder *home* cannot be written. Free some space.")
            if kind == "foreign":
                raise ValueError("secret detail")
            if kind == "disk":
                raise OSError(28, "No space left on device")
            if kind == "fragment":

                @shell.live(None)
                def part() -> None:
                    raise StorageError("No part.")

                part()
            if kind == "stop":
                st.stop()
            st.write("body")
        st.write("after")

    return run_script(script, kind)


def test_a_page_drawn_without_its_frame_is_closed_to_strangers(class_pages: None) -> None:
    app = run("none")
    assert [error.value for error in app.error] == ["Join the class to see this page."]
    assert "body" not in [entry.value for entry in app.markdown]


def test_our_errors_are_shown_as_text() -> None:
    app = run("own")
    assert app.error[0].value == "The folder \\*home\\* cannot be written. Free some space."
    assert not app.exception
    assert [entry.value for entry in app.markdown] == [PAGES["train"].question, "after"], "the rest is there"


def test_other_errors_are_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    app = run("foreign")
    assert not app.exception
    assert "secret detail" not in app.error[0].value
    assert "secret detail" in caplog.text


def test_a_full_disk_is_named() -> None:
    assert "No space left on device" in run("disk").error[0].value


def test_a_fragment_fails_by_itself() -> None:
    app = run("fragment")
    assert app.error[0].value == "No part."
    assert [entry.value for entry in app.markdown][-2:] == ["body", "after"]
