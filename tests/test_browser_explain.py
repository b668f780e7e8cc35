"""An explanation in a real browser: opened by keyboard, another method by a click, all of it in the address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquadash.runs import open_store
from tests.browser_pages import address_has, made_up_run, no_error, settled, with_model
from tests.serving import needs_chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

pytestmark = needs_chromium


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 390, "height": 1400}


def test_an_explanation_is_opened_by_keyboard_and_stands_in_the_address(
    home_with_images: Path, page: Page, tmp_path: Path
) -> None:
    store = open_store()
    run_id = made_up_run(store, "asked", seed=1, skill=0.6)
    with_model(store, run_id, tmp_path)
    with serving(home_with_images) as server:
        page.goto(f"{server.url}/evaluate?run={run_id}&section=explain")
        chooser = page.get_by_role("combobox", name="Explain a test image")
        chooser.wait_for()
        settled(page)
        assert not server.memory_of("tensorflow")
        chooser.focus()
        page.keyboard.press("ArrowDown")
        page.get_by_role("option").first.wait_for()
        page.keyboard.press("Enter")
        address_has(page, "explain=0")

        maps = page.get_by_role("list", name="The image and its maps by Grad-CAM").get_by_role("img")
        maps.nth(2).wait_for()
        assert maps.count() == 3
        assert all("which the network gives" in (maps.nth(n).get_attribute("alt") or "") for n in (1, 2))
        # Enlarged to more than its 32 pixels, each pixel a square.
        assert maps.nth(1).evaluate("picture => [picture.naturalWidth, picture.width > 100]") == [32, True]
        assert maps.nth(1).evaluate("picture => getComputedStyle(picture).imageRendering") == "pixelated"
        settled(page)
        page.get_by_role("radio", name="Occlusion").or_(page.get_by_role("button", name="Occlusion")).first.click()
        address_has(page, "why-method=occlusion")
        page.get_by_role("list", name="The image and its maps by Occlusion").wait_for()

        page.reload()
        page.get_by_role("list", name="The image and its maps by Occlusion").get_by_role("img").nth(2).wait_for()
        settled(page)
        no_error(page)
        assert not server.memory_of("tensorflow")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, "the page does not scroll sideways on a phone"
