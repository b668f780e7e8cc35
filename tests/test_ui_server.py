"""What the server does before its first visitor."""

from __future__ import annotations

import subprocess
import sys

import pytest
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from aquadash.settings import PROJECT_ROOT
from aquadash.ui import server
from tests.app_pages import APP


class AsServed(PagesManager):
    """Takes what ``AppTest`` would tell Streamlit of the folder ``pages``: what the server has said stands."""


@pytest.mark.parametrize("name", ["data", "augment", "train", "evaluate", "predict", "compare", "walkthrough"])
def test_a_link_to_a_server_that_has_just_started_leads_to_its_page_within_the_frame(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[str] = []

    class Page:
        """Stands for the page that the navigation finds."""

        def run(self) -> None:
            asked_for.append(found.url_path)

    def navigation(pages: list[st.Page]) -> Page:
        nonlocal found
        found = original(pages)
        return Page()

    found: st.Page
    original = st.navigation
    monkeypatch.setattr(app_test, "PagesManager", AsServed)
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)  # As in a new process.
    server.expect_navigation()
    monkeypatch.setattr(st, "navigation", navigation)
    AppTest.from_file(APP).switch_page(f"pages/{name}.py").run()
    assert asked_for == [name]


def test_the_server_starts_in_silence_and_without_what_only_a_class_needs() -> None:
    script = "import sys, app; print(*(name for name in sys.modules if name.startswith(('aquadash', 'authlib'))))"
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert not done.stderr
    for name in done.stdout.split():
        assert not name.startswith(("aquadash.ui.classroom", "aquadash.classroom.sessions", "authlib")), name
