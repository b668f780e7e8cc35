"""A network asked in a real browser: pictures on Predict, images that open from galleries, and why it answers so."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from aquadash.store import open_store
from tests.support.browser_pages import add_included_model, address_has, in_sight, no_error, resting_places, settled
from tests.support.runs import make_run, skilled
from tests.support.serving import SLOW, Server, needs_chromium, serving

pytestmark = needs_chromium


def test_a_student_asks_on_a_phone_why_a_network_answers_so(shared_server: Server, page: Page) -> None:
    store = open_store()
    run = make_run(store, "asked <i>run</i>")
    add_included_model(store, run.run_id)
    # Its temperature is fitted to them.
    store.add_validation_predictions(run.run_id, store.predictions(run.run_id))
    page.set_viewport_size({"width": 390, "height": 1400})
    page.goto(f"{shared_server.url}/evaluate?run={run.run_id}&section=explain&open=test-1")
    opened = page.get_by_role("dialog")
    maps = opened.get_by_role("list", name="Maps by Grad-CAM").get_by_role("img")
    maps.nth(1).wait_for()
    # Enlarged to more than its 32 pixels, each pixel a square.
    assert maps.nth(1).evaluate("picture => [picture.naturalWidth, picture.width > 100]") == [32, True]
    assert maps.nth(1).evaluate("picture => getComputedStyle(picture).imageRendering") == "pixelated"
    likes = opened.get_by_role("list", name="Nearest training images").get_by_role("button")
    likes.nth(5).wait_for()
    settled(page)
    opened.get_by_role("combobox", name="Why?").click()
    page.get_by_role("option", name="Occlusion").click()
    address_has(page, "why-method=occlusion")
    opened.get_by_role("list", name="Maps by Occlusion").get_by_role("img").nth(1).wait_for()
    opened.get_by_text("Show what the layers see").click()
    address_has(page, "why-layers=1")
    opened.get_by_role("list", name="Filters of the first convolution").get_by_role("img").nth(9).wait_for()
    settled(page)
    inside = opened.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    assert inside, "the opened image does not scroll sideways on a phone"

    likes.nth(0).focus()
    page.keyboard.press("Enter")
    address_has(page, "open=train-")
    opened.get_by_role("heading", name="Training image").wait_for()
    likes.nth(5).wait_for()
    settled(page)
    page.keyboard.press("Escape")
    opened.wait_for(state="detached")
    order = ("run", "section-group", "section", "evaluate-scores")
    places = [box["y"] for box in resting_places(page, *(page.locator(f".st-key-{key}") for key in order))]
    assert places == sorted(places) and places[-1] > places[-2], "the run and the tabs come first"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "nor does the page"
    no_error(page)
    assert not shared_server.memory_of("tensorflow"), "another process answers"


def test_home_and_predict_answer_in_the_first_screen(shared_server: Server, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(shared_server.url)
    page.get_by_text("🐋 whale").wait_for()
    settled(page)
    page.get_by_role("button", name=re.compile("Try a sample")).click()
    in_sight(page.locator(".aqua-verdict"), page.locator("article .aqua-bars"))
    page.get_by_role("link", name=re.compile("Answered by")).click()
    page.get_by_role("button", name=re.compile("Try another sample")).wait_for()
    page.locator(".aqua-verdict").nth(4).wait_for()
    in_sight(page.locator(".aqua-verdict").first, page.locator("article .aqua-bars").nth(3))

    page.get_by_role("link", name="Home").click()
    Image.linear_gradient("L").resize((80, 60)).save(tmp_path / "gradient.png")
    page.locator(".st-key-home-picture input[type=file]").set_input_files(tmp_path / "gradient.png")
    own = page.get_by_role("group", name="gradient.png")
    own.locator(".aqua-verdict").wait_for()
    page.get_by_role("link", name=re.compile("Answered by")).click()
    page.get_by_text("What is it really?").wait_for()
    in_sight(own.locator(".aqua-verdict"), own.locator(".aqua-bars"), page.get_by_text("What is it really?"))
    page.go_back()
    page.locator(".st-key-home-answer").wait_for()
    own.get_by_role("button", name="Why?").click()
    page.get_by_role("dialog").get_by_role("list", name="Maps by Grad-CAM").get_by_role("img").nth(1).wait_for()
    no_error(page)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hundred_large_photographs_are_stopped_and_resumed(warm_home: Path, page: Page, tmp_path: Path) -> None:
    """The 700 MB of photographs must not all stay in memory."""
    pixels = np.random.default_rng(0).integers(60, 160, (3000, 4000, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "0.jpg")
    assert 3_000_000 < (tmp_path / "0.jpg").stat().st_size < 5_000_000
    for number in range(1, 200):
        (tmp_path / f"{number}.jpg").hardlink_to(tmp_path / "0.jpg")
    store = open_store()
    run_id = make_run(store, "seer of many", predictions=skilled(0.6, seed=1)).run_id
    add_included_model(store, run_id)
    page.set_default_timeout(5 * SLOW)
    with serving(warm_home) as server:
        page.goto(f"{server.url}/predict?run={run_id}&sample=1")
        page.get_by_text("Try another sample").first.wait_for()
        settled(page)
        page.locator(".st-key-pictures input[type=file]").set_input_files(sorted(tmp_path.glob("*.jpg")))
        page.get_by_text(re.compile(r"\d+ of 200 pictures classified · about .* left")).wait_for()

        page.locator(".st-key-stop-predicting button").click()
        page.get_by_text(re.compile(r"Stopped: \d+ of 200")).wait_for()
        settled(page)
        page.get_by_role("button", name="Go on").click()
        page.locator(".st-key-page-next button").click()  # While the rest is still classified.
        address_has(page, "page=2")

        page.locator(".st-key-stop-predicting").wait_for(state="detached")
        page.locator(".st-key-predictions-csv").wait_for()
        settled(page)
        assert page.locator("article").count() == 20
        told = page.get_by_text(re.compile(r"(beaver|dolphin|otter|seal|whale): ")).last.inner_text()
        assert sum(map(int, re.findall(r": (\d+)", told))) == 200
        no_error(page)
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1000  # type: ignore[union-attr]
        print(f"at most {peak:.0f} MB")
        assert peak < 1500
