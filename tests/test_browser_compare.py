"""The compare page in a real browser: one run lit in all charts, zooms that are kept, and deep links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquadash.runs import Run, open_store
from tests.browser_pages import address_has, no_error, resting_place, settled
from tests.compared_runs import add_compared
from tests.serving import Server, needs_chromium
from tests.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

pytestmark = needs_chromium


@pytest.fixture
def viewport() -> ViewportSize:
    return {"width": 1280, "height": 2600}


def runs_for(count: int) -> list[Run]:
    store = open_store()
    return [
        add_compared(store, f"run {number}", {"seed": number}, skill=0.4 + 0.05 * number, seed=number, epochs=9)
        for number in range(count)
    ]


def address(runs: list[Run], **more: str) -> str:
    values = {"runs": ",".join(run.run_id for run in runs), **more}
    return "compare?" + "&".join(f"{name}={value}" for name, value in values.items())


def lit(page: Page) -> set[str | None]:
    """The positions of the runs that stand out, in all charts together."""
    return {part.get_attribute("data-run") for part in page.locator(".aqua-lit").all()}


def lights(page: Page, run: int, *, charts: int, others: int) -> None:
    """Wait until one run stands out in so many charts and all others are dimmed in them."""
    page.wait_for_function(
        """([run, charts, others]) => document.querySelectorAll(`g.aqua-lit[data-run="${run}"]`).length === charts
        && document.querySelectorAll("g.aqua-lit").length === charts
        && document.querySelectorAll("g.aqua-dim").length === charts * others""",
        arg=[run, charts, others],
    )


def nothing_is_lit(page: Page) -> None:
    page.wait_for_function("!document.querySelector('.aqua-lit, .aqua-dim')")


def linked(page: Page, *, charts: int, runs: int) -> None:
    """Wait until the legend knows the curves of all charts."""
    page.wait_for_function(
        "count => document.querySelectorAll('.js-plotly-plot g[data-run]').length === count", arg=charts * runs
    )
    settled(page)


def point(page: Page, run: int) -> Locator:
    """A marker of the run in the first chart that no other run's covers: the last one."""
    return page.locator(".js-plotly-plot").first.locator(f"g[data-run='{run}'] .point").last


def test_ten_runs_light_up_together_and_zooms_are_kept(shared_server: Server, page: Page) -> None:
    runs = runs_for(10)
    page.goto(f"{shared_server.url}/{address(runs, metric='val_accuracy,val_loss')}")
    linked(page, charts=2, runs=10)
    nothing_is_lit(page)
    assert page.locator(".aqua-legend button").count() == 10
    assert page.locator(".js-plotly-plot .legend").count() == 0

    box = resting_place(page, point(page, 7))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lights(page, 7, charts=2, others=9)
    page.mouse.move(5, 5)
    nothing_is_lit(page)

    # The same by keyboard; a pressed button's run stays lit, and another section's charts show it, too.
    button = page.get_by_role("button", name="run 3", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    address_has(page, f"lit={runs[3].run_id}")
    lights(page, 3, charts=2, others=9)
    assert button.get_attribute("aria-pressed") == "true"

    area = resting_place(page, page.locator(".js-plotly-plot").first.locator(".nsewdrag").first)
    page.mouse.move(area["x"] + 0.4 * area["width"], area["y"] + 40)
    page.mouse.down()
    page.mouse.move(area["x"] + 0.9 * area["width"], area["y"] + 60, steps=5)
    page.mouse.up()
    address_has(page, "zoom=")
    settled(page)
    ranges = "[...document.querySelectorAll('.js-plotly-plot')].map((c) => c.layout.xaxis.range.map(Math.round))"
    wait_for(lambda: len({tuple(each) for each in page.evaluate(ranges)}) == 1, saying=lambda: page.url)
    zoomed = page.evaluate(ranges)[0]
    assert 2 <= zoomed[0] < zoomed[1] <= 9

    page.reload()
    linked(page, charts=2, runs=10)
    lights(page, 3, charts=2, others=9)
    assert page.evaluate(ranges) == [zoomed, zoomed]
    page.get_by_role("radio", name="Results").or_(page.get_by_role("button", name="Results")).first.click()
    page.get_by_text("Is the difference more than luck?").wait_for()
    lights(page, 3, charts=1, others=9)
    page.get_by_role("button", name="run 3", exact=True).press("Escape")
    nothing_is_lit(page)
    no_error(page)


def test_a_deep_link_restores_a_section_and_a_click_chooses_a_pair(shared_server: Server, page: Page) -> None:
    runs = runs_for(3)
    page.goto(f"{shared_server.url}/{address(runs, section='results', on='test', second=runs[2].run_id)}")
    page.get_by_text("Of 500 test images").wait_for()
    settled(page)
    # Cells are in the order of the pairs, each of them twice: the fifth is run 1 over run 2.
    cell = page.locator(".st-key-pair-matrix .scatterlayer .point").nth(4)

    def chosen() -> bool:
        box = resting_place(page, cell)
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(1500)
        return f"first={runs[2].run_id}" in page.url

    wait_for(chosen, saying=lambda: page.url)
    address_has(page, f"first={runs[2].run_id}", f"second={runs[1].run_id}")
    no_error(page)


def test_two_runs_on_a_phone_need_no_scrolling_sideways(shared_server: Server, page: Page) -> None:
    runs = runs_for(2)
    page.set_viewport_size({"width": 390, "height": 2400})
    for section in ("curves", "settings", "results", "confusion", "images", "cost"):
        page.goto(f"{shared_server.url}/{address(runs, section=section)}")
        page.locator(".js-plotly-plot" if section != "images" else ".aqua-cards").first.wait_for()
        settled(page)
        width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert width <= 390, section
        no_error(page)
