"""What people do on Evaluate, in a real browser: question a run, replay, present it, and take it home."""

import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page

from aquadash.store import open_store
from tests.pages.test_evaluate import replay
from tests.support.browser_pages import (
    LAYOUT_SHIFT,
    add_included_model,
    address_has,
    address_lacks,
    choose_segment,
    click_at_rest,
    no_error,
    resting_places,
    settled,
)
from tests.support.runs import make_run, too_confident
from tests.support.serving import Server, needs_chromium

pytestmark = needs_chromium


def shows(page: Page, number: int) -> None:
    """Wait until the page says that it shows so many images."""
    page.get_by_text(re.compile(rf"\b{number} of 500 test images")).first.wait_for()
    settled(page)  # The images below are drawn later.


def matrix_and_images_are_in_sight(page: Page) -> None:
    """Check that the matrix and the first row of images are wholly on the first screen."""
    images = page.get_by_alt_text(re.compile("^Test image"))
    for box in resting_places(page, page.locator(".st-key-matrix"), *(images.nth(number) for number in range(3))):
        assert box["y"] > 0 and box["y"] + box["height"] < 800, box


def test_a_student_questions_a_run_by_clicks_on_its_charts(shared_server: Server, page: Page) -> None:
    store = open_store()
    run = make_run(store, "judged")
    labels = store.predictions(run.run_id).labels
    predictions = too_confident(labels, seed=4)
    store.add_predictions(run.run_id, predictions)
    answers, sure = predictions.probabilities.argmax(axis=1), predictions.probabilities.max(axis=1)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.add_init_script(LAYOUT_SHIFT)
    page.goto(f"{shared_server.url}/evaluate?run={run.run_id}")
    settled(page)
    matrix_and_images_are_in_sight(page)
    moved = page.evaluate("window.moved")
    assert sum(each[0] for each in moved) <= 0.05, moved
    # Row 1, column 2: a dolphin taken for an otter.
    click_at_rest(page, page.locator(".st-key-matrix .scatterlayer .point").nth(5 + 2))
    address_has(page, "true=dolphin", "predicted=otter")
    shows(page, int(((labels == 1) & (answers == 2)).sum()))
    matrix_and_images_are_in_sight(page)
    page.go_back()
    shows(page, 500)
    address_lacks(page, "true=", "predicted=")

    cards = page.locator("button[data-opens]")
    names = [f"open={cards.nth(position).get_attribute('data-opens')}" for position in range(3)]
    cards.first.click()
    address_has(page, names[0])
    page.get_by_role("dialog").get_by_role("button", name="Next").click()
    address_has(page, names[1])
    settled(page)
    page.keyboard.press("ArrowRight")
    address_has(page, names[2])
    settled(page)
    page.go_back()
    address_has(page, names[1])
    settled(page)
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    address_lacks(page, "open=")
    page.get_by_role("dialog").wait_for(state="detached")

    page.set_viewport_size({"width": 1280, "height": 1700})
    choose_segment(page, "Scores")
    choose_segment(page, "Calibration")
    click_at_rest(page, page.locator(".st-key-reliability .barlayer .point").last)
    address_has(page, "bin=15")
    shows(page, int((sure > 14 / 15).sum()))
    no_error(page)


def test_a_student_replays_the_epochs_and_gives_a_talk_by_keyboard(shared_server: Server, page: Page) -> None:
    store = open_store()
    run = make_run(store, "Our talk")
    store.add_epoch_replay(run.run_id, replay())
    page.goto(f"{shared_server.url}/evaluate?run={run.run_id}&section=epochs&epoch=3")
    page.get_by_role("slider", name="Epoch").press("ArrowRight")
    page.get_by_text("After epoch 4: 20 of 44").wait_for()
    page.get_by_role("button", name="Play").click()
    page.get_by_text("After epoch 6: 30 of 46").wait_for()
    page.get_by_role("button", name="Play").wait_for()  # It has stopped by itself.
    address_lacks(page, "epoch=")

    page.get_by_role("button", name="Present").click()
    page.get_by_role("heading", name="Our talk").wait_for()
    page.get_by_text("1 of 9").wait_for()
    # The page takes keys once it has come to rest.
    settled(page)
    assert not page.get_by_test_id("stSidebar").is_visible()
    how, curve = "How was it trained?", "Learning curve"
    for key, heading in (("Right", how), ("Right", curve), ("Left", how), ("Right", curve)):
        page.keyboard.press(f"Arrow{key}")
        page.get_by_role("heading", name=heading).wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("of 500 test images").wait_for()
    address_has(page, "present=4")
    size = page.locator(".aqua-figure").evaluate("element => parseFloat(getComputedStyle(element).fontSize)")
    assert size > 60
    no_error(page)
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Evaluate").wait_for()
    address_lacks(page, "present=")
    page.get_by_test_id("stSidebar").wait_for()


def test_a_run_goes_home_and_its_report_opens(shared_server: Server, page: Page, tmp_path: Path) -> None:
    store = open_store()
    run = make_run(store, "to take home")
    add_included_model(store, run.run_id)
    page.goto(f"{shared_server.url}/evaluate?run={run.run_id}&section=home")
    settled(page)
    page.get_by_role("button", name="Make the ZIP").click()
    button = page.get_by_role("button", name="Download the ZIP")
    button.wait_for()
    settled(page)
    with page.expect_download() as download:
        button.click()
    path = tmp_path / "run.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        archive.extract("report.html", tmp_path)
    page.goto(f"file://{tmp_path / 'report.html'}")
    page.locator(".js-plotly-plot:has(.main-svg)").nth(3).wait_for()
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
