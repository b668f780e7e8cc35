"""A run is downloaded as a ZIP in a real browser, brought back, and its report opened without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquadash.runs import open_store
from tests.browser_pages import no_error, settled
from tests.serving import needs_chromium, serving
from tests.stored_runs import add_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium

#: On a machine shared with others.
SLOW = 240_000


@pytest.mark.timeout(900)
def test_a_run_goes_home_and_comes_back(warm_home: Path, page: Page, tmp_path: Path) -> None:
    page.set_default_timeout(SLOW)
    store = open_store()
    run = add_run(store, name="to take home")
    with serving(warm_home) as server:
        page.goto(f"{server.url}/evaluate?run={run.run_id}&section=home")
        page.get_by_role("button", name="Make the ZIP").click()
        button = page.get_by_role("button", name="Download the ZIP")
        button.wait_for()
        settled(page)
        with page.expect_download() as download:
            button.click()
        assert download.value.suggested_filename == f"to-take-home-{run.run_id[:8]}.zip"
        path = tmp_path / "run.zip"
        download.value.save_as(path)
        no_error(page)

        page.goto(f"{server.url}/compare")
        page.get_by_text("Bring a run").click()
        page.locator(".st-key-bring-run input[type=file]").set_input_files(path)
        page.get_by_text("to take home is here.").wait_for()
        no_error(page)
        assert len(store.list_runs()) == 2

    with zipfile.ZipFile(path) as archive:
        archive.extract("report.html", tmp_path)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: asked.append(f"error: {error}"))
    page.goto(f"file://{tmp_path / 'report.html'}")
    page.locator(".js-plotly-plot .main-svg").nth(4).wait_for()
    assert page.locator(".js-plotly-plot").count() == 4
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
