"""The Evaluate page in a real browser: clicks on its charts, and what a reload keeps."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aquadash.runs import Predictions, open_store
from tests.browser_pages import address_has, no_error, resting_place, settled
from tests.serving import needs_chromium, serving
from tests.stored_runs import add_run
from tests.test_pages_evaluate_sections import sharp

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

pytestmark = needs_chromium


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 1280, "height": 1700}


def press(page: Page, place: Locator) -> None:
    """Click the middle of something that has come to rest."""
    box = resting_place(page, place)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def shows(page: Page, number: int) -> None:
    """Wait until the page says that it shows so many images."""
    page.get_by_text(re.compile(rf"\b{number} of 500 test images")).first.wait_for()


def section(page: Page, title: str) -> None:
    """Go to a section by its button."""
    page.get_by_role("radio", name=title).or_(page.get_by_role("button", name=title)).first.click()
    settled(page)


def test_cells_bars_and_thresholds_show_their_images_and_survive_a_reload(
    home: Path, prepared_home: Path, page: Page
) -> None:
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    store = open_store()
    run = add_run(store, name="judged")
    labels = store.predictions(run.run_id).labels
    shares = sharp(labels, seed=4)
    store.add_predictions(run.run_id, Predictions(np.arange(500), labels, shares))
    answers, sure = shares.argmax(axis=1), shares.max(axis=1)
    with serving(home) as server:
        page.goto(f"{server.url}/evaluate?run={run.run_id}")
        page.get_by_text("What is taken for what?").wait_for()
        settled(page)
        # Row 1, column 2: a dolphin taken for an otter.
        press(page, page.locator(".st-key-matrix .scatterlayer .point").nth(5 + 2))
        address_has(page, "true=dolphin", "predicted=otter")
        shows(page, int(((labels == 1) & (answers == 2)).sum()))
        page.get_by_role("button", name="Show all").click()
        shows(page, 500)

        section(page, "Threshold")
        address_has(page, "section=threshold")
        shows(page, int((sure >= 0.5).sum()))
        slider = page.locator(".st-key-sure").get_by_role("slider")
        slider.focus()
        for percent in (51, 52, 53):
            slider.press("ArrowRight")
            address_has(page, f"sure={percent}")
            settled(page)
        shows(page, int((sure >= 0.53).sum()))
        page.get_by_text(re.compile("^Refused: ")).first.click()
        shows(page, int((sure < 0.53).sum()))
        address_has(page, "answers=refused")
        page.reload()
        shows(page, int((sure < 0.53).sum()))
        address_has(page, "section=threshold", "sure=53", "answers=refused")
        before = page.url
        press(page, page.locator(".st-key-coverage .scatterlayer .trace").first.locator(".point").nth(120))
        page.wait_for_function("before => location.href !== before && location.href.includes('sure=')", arg=before)
        at = int(re.search(r"sure=(\d+)", page.url).group(1))  # type: ignore[union-attr]
        shows(page, int((sure < at / 100 - 1e-6).sum()))

        section(page, "Calibration")
        page.locator(".st-key-reliability .barlayer .point").last.wait_for()
        press(page, page.locator(".st-key-reliability .barlayer .point").last)
        address_has(page, "bin=15")
        shows(page, int((sure > 14 / 15).sum()))

        section(page, "Classes")
        page.locator(".st-key-class-scores .scatterlayer .trace").nth(1).locator(".point").nth(3).wait_for()
        press(page, page.locator(".st-key-class-scores .scatterlayer .trace").nth(1).locator(".point").nth(3))
        address_has(page, "true=seal")
        shows(page, 100)

        section(page, "ROC, precision and recall")
        page.locator(".st-key-threshold-curves .js-plotly-plot").wait_for()
        press(page, page.locator(".st-key-threshold-curves .scatterlayer .trace").nth(3).locator(".point").nth(15))
        page.wait_for_function("() => /class=\\w+/.test(location.href) && /cut=\\d+/.test(location.href)")
        no_error(page)
