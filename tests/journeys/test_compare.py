"""What people do on the Compare page, in a real browser: hold runs side by side."""

import re

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TooLate

from aquadash.store import open_store
from tests.support.app_pages import ids
from tests.support.browser_pages import address_has, no_error, resting_places, settled
from tests.support.runs import make_run, skilled
from tests.support.serving import Server, needs_chromium
from tests.support.waiting import wait_for

pytestmark = needs_chromium


def tick(page: Page, row: int, *, picked: int) -> None:
    """Click the box of a row of the table, from 0, until the address has so many runs: a redraw swallows clicks."""
    runs = "(new URLSearchParams(location.search).get('runs') ?? '').split(',').filter(Boolean)"

    def ticked() -> bool:
        settled(page)
        box = page.get_by_test_id("stDataFrame").locator("canvas").first.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1) + 17)
        try:
            page.wait_for_function(f"picked => {runs}.length === picked", arg=picked, timeout=20_000)
        except TooLate:
            return False
        return True

    wait_for(ticked)


def rows(page: Page, count: int) -> None:
    # The new line comes first: during a redraw the old one may still stand below it.
    page.get_by_text(re.compile(rf"^{count} runs\.")).first.wait_for()
    settled(page)


def test_two_ticks_answer_in_sight_and_a_third_run_is_chosen_by_name(shared_server: Server, page: Page) -> None:
    store = open_store()
    third = make_run(store, "heron <i>third</i>", predictions=skilled(0.6, seed=3))
    make_run(store, "heron plain", predictions=skilled(0.4, seed=1))
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{shared_server.url}/compare?find=heron")
    rows(page, 2)
    # A run that another process adds is shown without a click.
    make_run(store, "heron adam", {"training.optimizer": "adam"}, predictions=skilled(0.8, seed=2))
    rows(page, 3)
    table = page.get_by_test_id("stDataFrame").bounding_box()
    assert table is not None and table["y"] + table["height"] < 800, table
    tick(page, 0, picked=1)
    tick(page, 1, picked=2)
    verdict = page.locator(".st-key-verdict")
    verdict.get_by_text("points better than").wait_for()
    settled(page)
    place = verdict.bounding_box()
    assert place is not None and place["y"] + place["height"] < 800, place

    chooser = page.get_by_label("Compare these runs")
    chooser.click()
    chooser.fill("<i>third")
    page.get_by_role("option").filter(has_text="heron <i>third</i>").first.click()
    address_has(page, third.run_id)
    settled(page)
    verdict.get_by_text("Best of 3").wait_for()
    no_error(page)


def test_curves_are_zoomed_together_and_sections_fit_a_phone(shared_server: Server, page: Page) -> None:
    store = open_store()
    runs = [
        make_run(store, f"run {seed}", {"seed": seed}, predictions=skilled(0.4 + 0.2 * seed, seed=seed), history=9)
        for seed in range(3)
    ]
    page.set_viewport_size({"width": 1280, "height": 2600})
    page.goto(f"{shared_server.url}/compare?runs={ids(*runs)}&metric=val_accuracy,val_loss")
    page.locator(".st-key-curves .point").first.wait_for()
    settled(page)
    area = resting_places(page, page.locator(".st-key-curves .nsewdrag").first)[0]
    page.mouse.move(area["x"] + 0.4 * area["width"], area["y"] + 40)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.9 * area["width"], area["y"] + 60, steps=5)
    page.mouse.up()
    ranges = (
        "(() => { const { xaxis, xaxis2 } = document.querySelector('.st-key-curves .js-plotly-plot').layout;"
        " return [xaxis.range, xaxis2.range]; })()"
    )
    wait_for(lambda: page.evaluate(ranges)[0][0] > 2, saying=lambda: page.evaluate(ranges))
    first, second = page.evaluate(ranges)
    assert first == second

    # On a phone no section has to be scrolled sideways.
    page.set_viewport_size({"width": 390, "height": 2400})
    for title in ("Confusion", "Images", "Cost", "Settings", "Curves"):
        page.locator(".st-key-section").get_by_text(title).click()
        settled(page)
        shown = {"Images": ".aqua-cards", "Settings": "[data-testid=stDataFrame]"}.get(title, ".js-plotly-plot")
        page.locator(shown).first.wait_for()
        page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollWidth <= 390")
        no_error(page)
