"""In a real browser: images open from the confusion matrix's and other galleries, and from a link."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from PIL import Image

from aquadash.runs import open_store
from tests.browser_pages import add_included_model, address_has, no_error, settled
from tests.serving import Server, needs_chromium
from tests.stored_runs import add_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium


def test_an_image_opens_by_mouse_by_keyboard_and_by_its_link(shared_server: Server, page: Page) -> None:
    store = open_store()
    run = add_run(store, name="opened")
    add_included_model(store, run.run_id)
    page.goto(f"{shared_server.url}/evaluate?run={run.run_id}&true=otter&predicted=seal")
    cards = page.get_by_role("list", name="Test images with the network's answers").get_by_role("button")
    cards.nth(1).wait_for()
    settled(page)
    cards.nth(1).click()
    opened = page.get_by_role("dialog")
    opened.get_by_role("list", name="Probabilities").wait_for()
    address_has(page, "open=test-")
    opened.get_by_role("list", name="Maps by Grad-CAM").get_by_role("img").nth(1).wait_for()
    likes = opened.get_by_role("list", name="Nearest training images").get_by_role("button")
    likes.nth(5).wait_for()
    settled(page)

    # What is shown of the training set opens in its place, by keyboard.
    likes.nth(0).focus()
    page.keyboard.press("Enter")
    address_has(page, "open=train-")
    opened.get_by_role("heading", name="Training image").wait_for()
    likes.nth(5).wait_for()
    settled(page)
    link = opened.get_by_test_id("stCode").inner_text()
    page.keyboard.press("Escape")
    opened.wait_for(state="detached")
    page.wait_for_function("() => !location.href.includes('open=')")
    no_error(page)

    page.goto("".join(link.split()))
    opened.get_by_role("heading", name="Training image").wait_for()
    likes.nth(5).wait_for()
    settled(page)
    opened.get_by_role("button", name="Close").click()
    opened.wait_for(state="detached")
    page.wait_for_function("() => !location.href.includes('open=')")
    assert page.url.startswith(f"{shared_server.url}/evaluate?")
    no_error(page)
    assert not shared_server.memory_of("tensorflow"), "another process answers"


def test_a_dropped_picture_opens_without_an_address(shared_server: Server, page: Page) -> None:
    store = open_store()
    run = add_run(store, name="asked about a picture")
    add_included_model(store, run.run_id)
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((80, 60)).save(picture, "PNG")
    page.goto(f"{shared_server.url}/predict?run={run.run_id}")
    page.get_by_test_id("stFileUploaderDropzone").wait_for()
    settled(page)
    page.locator(".st-key-pictures input[type=file]").set_input_files(
        [{"name": "sea <b>view</b>.png", "mimeType": "image/png", "buffer": picture.getvalue()}]
    )
    card = page.locator("article").get_by_role("button").first
    card.wait_for()
    settled(page)
    sure = re.search(r"\d+ %", page.locator("article").first.inner_text())[0]  # type: ignore[index]
    card.focus()
    page.keyboard.press("Enter")
    opened = page.get_by_role("dialog")
    opened.get_by_role("heading", name="sea <b>view</b>.png").wait_for()
    # It is the card's answer, of several framings and with the run's temperature.
    opened.get_by_text(re.compile(rf"\b{sure}")).first.wait_for()
    opened.get_by_role("list", name="Maps by Grad-CAM").get_by_role("img").first.wait_for()
    likes = opened.get_by_role("list", name="Nearest training images").get_by_role("button")
    likes.nth(5).wait_for()
    settled(page)
    assert "open=" not in page.url and not opened.get_by_test_id("stCode").count()

    # A training image that is like it has an address.
    likes.nth(0).click()
    address_has(page, "open=train-")
    opened.get_by_test_id("stCode").wait_for()
    settled(page)
    page.keyboard.press("Escape")
    opened.wait_for(state="detached")
    page.wait_for_function("() => !location.href.includes('open=')")
    no_error(page)
