"""A run as a talk, in a real browser: the keys that leaf, and a link that restores the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.runs import open_store
from tests.browser_pages import address_has, no_error
from tests.serving import needs_chromium, serving
from tests.stored_runs import add_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium


def test_arrow_keys_leaf_and_escape_leaves(warm_home: Path, page: Page) -> None:
    run = add_run(open_store(), name="Our talk")
    with serving(warm_home) as server:
        page.goto(f"{server.url}/evaluate?run={run.run_id}")
        page.get_by_role("button", name="Present").click()
        page.get_by_role("heading", name="Our talk").wait_for()
        # Keys count from the moment at which the page has come to rest.
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
        page.get_by_text("1 of 9").wait_for()
        assert not page.get_by_test_id("stSidebar").is_visible()

        page.keyboard.press("ArrowRight")
        page.get_by_role("heading", name="What is it made of?").wait_for()
        address_has(page, "present=2")
        page.keyboard.press("ArrowRight")
        page.get_by_role("heading", name="How did it learn?").wait_for()
        page.keyboard.press("ArrowLeft")
        page.get_by_role("heading", name="What is it made of?").wait_for()

        page.goto(f"{server.url}/evaluate?run={run.run_id}&present=4")
        page.get_by_text("of 500 test images").wait_for()
        size = page.locator(".aqua-figure").evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
        assert size > 60
        no_error(page)

        page.keyboard.press("Escape")
        page.get_by_role("heading", name="Evaluate").wait_for()
        page.wait_for_function("() => !location.href.includes('present=')")
        page.get_by_test_id("stSidebar").wait_for()
