"""Looking around in a real browser: every page by its address, on a phone, and the lesson."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from aquadash.pages import PAGES
from aquadash.store import open_store
from tests.support.browser_pages import in_sight, no_error, settled
from tests.support.runs import make_run, skilled
from tests.support.serving import Server, needs_chromium, serving

pytestmark = needs_chromium


@dataclass(frozen=True)
class Look:
    """A page as a student first sees it."""

    #: First and last element of the page's purpose, both in sight at 1280 by 800 without scrolling.
    exists_for: tuple[str, ...]
    #: The first action, in sight on a phone and at most ten stops of the Tab key from the heading.
    action: str
    #: JavaScript: a condition on the first images.
    images: str = "() => true"


#: By address.
LOOKS = {
    "home": Look(("[data-testid=stFileUploader]", ".aqua-card"), "Try a sample"),
    # Nine in a row.
    "data": Look(
        (".aqua-card >> nth=0", ".aqua-card >> nth=8"),
        "Add own pictures",
        "() => new Set([...document.querySelectorAll('.aqua-card')].slice(0, 9).map((card) => "
        "card.getBoundingClientRect().top)).size === 1",
    ),
    # A large original with versions of at least 160 pixels.
    "augment": Look(
        (".aqua-card >> nth=0", ".aqua-card >> nth=4"),
        "Train with it",
        "() => { const widths = [...document.querySelectorAll('.aqua-card img')].slice(0, 5).map((image) => "
        "image.width); return widths.length === 5 && widths[0] > 300 && Math.min(...widths) >= 160; }",
    ),
    "train": Look((".st-key-launch button", ".st-key-run-figures"), "Train"),
    "train?view=search": Look((".st-key-search-launch button",), "Search"),
    "evaluate": Look((".st-key-matrix", ".aqua-card >> nth=0"), "Present"),
    "predict": Look(("[data-testid=stFileUploader]",), "Try a sample"),
    "compare": Look(("[data-testid=stDataFrame]",), "Filters"),
    "walkthrough": Look(("[data-testid=stProgress]",), "Next"),
}


def test_every_page_shows_first_what_it_exists_for_and_fits_a_phone(shared_server: Server, page: Page) -> None:
    make_run(open_store(), "looked at", predictions=skilled(0.6, seed=1))
    for name, look in LOOKS.items():
        page.set_viewport_size({"width": 1280, "height": 800})
        record = PAGES[name.partition("?")[0]]
        page.goto(f"{shared_server.url}/{name}")
        page.get_by_text(record.question).first.wait_for()
        # The navigation is app.py's: the bare page file would have none, or another.
        page.get_by_role("link", name="Compare").first.wait_for()
        settled(page)
        no_error(page)
        assert page.title() == f"{record.title} · AquaDash"
        for selector in look.exists_for:
            in_sight(page.locator(selector).last)
        page.wait_for_function(look.images)
        if name == "augment":
            room = "menu => { menu.value = 'CIFAR-100 aquatic mammals'; return menu.clientWidth - menu.scrollWidth; }"
            assert page.get_by_test_id("stSidebar").get_by_role("combobox").evaluate(room) >= 0
        main = page.get_by_test_id("stMainBlockContainer")
        action = main.get_by_role("button", name=re.compile(rf"\b{look.action}$")).last
        assert stops_to(page, action) <= 10, name
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollWidth <= 390")
        in_sight(action)
        if name in ("home", "predict"):
            in_sight(page.get_by_test_id("stFileUploaderDropzone"))
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Train").click()
    page.locator("[data-testid=stSidebar][data-collapsed=true]").wait_for(state="attached")


def stops_to(page: Page, element: Locator) -> int:
    """Count the presses of Tab from a page's heading to an element; 11 for more than ten."""
    page.get_by_role("heading", level=1).evaluate("heading => { heading.tabIndex = -1; heading.focus(); }")
    for stops in range(1, 11):
        page.keyboard.press("Tab")
        if element.evaluate("element => element === document.activeElement"):
            return stops
    return 11


@pytest.mark.soak
def test_the_first_page_of_a_fresh_install_answers_within_3_seconds(home: Path, page: Page) -> None:
    began = time.monotonic()
    with serving(home) as server:
        page.goto(server.url)
        page.get_by_text("See what a network learns from").wait_for()
        seconds = time.monotonic() - began
        # Three times the figure, because other work may share the machine.
        assert seconds < 9, f"{seconds:.1f} s"
        page.get_by_text("Running now").wait_for()
        assert not server.memory_of("tensorflow")
        assert not server.memory_of("imgaug")
