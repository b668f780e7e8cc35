"""What the server does before its first visitor."""

from __future__ import annotations

import runpy
from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from aquadash.ui.classroom import frame
from tests.app_pages import APP


class AsServed(PagesManager):
    """Takes what ``AppTest`` would tell Streamlit of the folder ``pages``: what ``app.py`` has said stands."""


@pytest.mark.parametrize("name", ["data", "augment", "train", "evaluate", "predict", "compare", "walkthrough"])
def test_a_link_to_a_server_that_has_just_started_leads_to_its_page_within_the_frame(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    framed: list[Any] = []
    monkeypatch.setattr(frame, "run", framed.append)
    monkeypatch.setattr(app_test, "PagesManager", AsServed)
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)  # As in a new process.
    runpy.run_path(APP)  # The server imports it before the first session.
    AppTest.from_file(APP).switch_page(f"pages/{name}.py").run()
    (page,) = framed
    assert page.url_path == name
