"""Helpers of the tests in a real browser: wait for a page, fill in its fields, and click its charts."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from playwright.sync_api import FloatRect, Locator, Page, Request, WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from aquadash.store import Run, RunStore, open_store
from aquadash.store.artifacts import CONFIG, MODEL, read_artifact
from aquadash.store.first_model import FOLDER
from tests.support.serving import SLOW
from tests.support.tiny_networks import give_network
from tests.support.waiting import wait_for

#: Collects the layout shifts that no input caused, and where they were.
LAYOUT_SHIFT = """window.moved = []; new PerformanceObserver((seen) => {
  for (const entry of seen.getEntries().filter((entry) => !entry.hadRecentInput)) {
    window.moved.push([entry.value, ...entry.sources.map(
      (one) => [one.node?.textContent?.slice(0, 40), one.previousRect.y, one.currentRect.y])]); }
}).observe({type: "layout-shift", buffered: true});"""


@contextmanager
def trainings_held(home: Path) -> Iterator[Callable[[Run], None]]:
    """Quick trainings of a home go no further than their second epoch until the function that is yielded lets them."""
    folder = home / "held"  # tests/support/quick_training looks for it.
    folder.mkdir()

    def let_go(run: Run) -> None:
        (folder / hashlib.sha256(run.config.to_json().encode()).hexdigest()).touch()

    try:
        yield let_go
    finally:
        shutil.rmtree(folder)


class _Scripts:
    """Counts the script runs that a page has requested and those that are done, without automatic ones."""

    def __init__(self, page: Page) -> None:
        self.requested = self.done = 0
        page.on("request", self._leaves)
        page.on("websocket", self._connects)

    def _leaves(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self.requested, self.done = 1, 0

    def _connects(self, socket: WebSocket) -> None:
        self.requested, self.done = 1, 0
        sent = begun = 0

        def asks(frame: bytes | str) -> None:
            nonlocal sent
            message = BackMsg.FromString(frame)
            if message.HasField("rerun_script") and not message.rerun_script.is_auto_rerun:
                sent += 1
                self.requested = sent

        def answers(frame: bytes | str) -> None:
            nonlocal begun
            message = ForwardMsg.FromString(frame)
            if message.HasField("new_session"):
                begun = sent
            elif message.HasField("script_finished"):
                # A run that a newer request replaces is not done.
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    self.done = max(self.done, begun)

        socket.on("framesent", asks)
        socket.on("framereceived", answers)


_scripts: WeakKeyDictionary[Page, _Scripts] = WeakKeyDictionary()


def followed(page: Page) -> Page:
    """Count the script runs of a new page, for :func:`settled`."""
    _scripts[page] = _Scripts(page)
    return page


def settled(page: Page) -> None:
    """Wait until the page's script has run for all that was done on the page before."""
    # The browser sends the change of a click after the next frame.
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    scripts = _scripts[page]
    requested = scripts.requested
    # Playwright delivers events of the browser only while it waits.
    wait_for(lambda: page.wait_for_timeout(1) or scripts.done >= requested, saying=lambda: vars(scripts))
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()


def number_field(page: Page, label: str) -> Locator:
    return page.get_by_role("spinbutton", name=label, exact=True)


def set_number(page: Page, label: str, value: float) -> None:
    """Type a number as people do, and wait until the page has taken it."""
    number_field(page, label).fill(str(value))
    number_field(page, label).press("Enter")
    settled(page)


def holds(field: Locator, value: str) -> None:
    """Wait until a field holds this."""
    wait_for(lambda: field.input_value() == value, saying=field.input_value)


def unfold(page: Page, title: str | re.Pattern[str]) -> None:
    """Unfold an expander by its title; a page that is redrawn meanwhile folds it again, then try again."""
    summary = page.locator("summary").filter(has_text=title)

    def unfolded() -> bool:
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()
            settled(page)
        return summary.locator("xpath=..").get_attribute("open") is not None

    wait_for(unfolded)


def main_button(page: Page, name: str) -> Locator:
    """A button of the page itself: the frame around it has others of these names."""
    return page.get_by_test_id("stMainBlockContainer").get_by_role("button", name=name, exact=True)


def press_train(page: Page) -> str:
    """Press the form's button and return the new run's id from the address."""
    known = [run.run_id for run in open_store().list_runs()]
    page.locator(".st-key-launch button:visible").click()
    run_in_address = "new URL(location.href).searchParams.get('run')"
    page.wait_for_function(f"known => ![null, ...known].includes({run_in_address})", arg=known)
    return str(page.evaluate(run_in_address))


def address_has(page: Page, *texts: str) -> None:
    """Wait until all of the texts stand in the page's address."""
    page.wait_for_function("texts => texts.every((text) => location.href.includes(text))", arg=list(texts))


def address_lacks(page: Page, *texts: str) -> None:
    """Wait until none of the texts stands in the page's address."""
    page.wait_for_function("texts => !texts.some((text) => location.href.includes(text))", arg=list(texts))


def resting_places(page: Page, *elements: Locator) -> list[FloatRect]:
    """Return the places of elements once they have not moved for half a second."""
    seen: list[list[FloatRect | None]] = []

    def rest() -> list[FloatRect]:
        page.wait_for_timeout(50)
        seen.append([element.bounding_box() for element in elements])
        places = [place for place in seen[-1] if place is not None]
        at_rest = len(seen) > 10 and all(before == seen[-1] for before in seen[-10:])
        return places if at_rest and len(places) == len(elements) else []

    return wait_for(rest, saying=lambda: seen[-3:])


def in_sight(*elements: Locator) -> None:
    """Wait until each element is wholly within the window, which has not been scrolled."""
    for element in elements:
        element.wait_for()
        element.page.wait_for_function(
            "element => { const box = element.getBoundingClientRect();"
            " return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth; }",
            arg=element.element_handle(),
        )


def click_at_rest(page: Page, mark: Locator) -> None:
    """Click the middle of a chart's mark once it no longer moves, and wait until the address changes."""
    (box,), before = resting_places(page, mark), page.url
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(lambda url: url != before, timeout=SLOW, wait_until="commit")


def choose_segment(page: Page, title: str) -> None:
    """Click a segment of a segmented control, such as the name of a section."""
    settled(page)
    page.get_by_role("radio", name=title).or_(page.get_by_role("button", name=title)).first.click()
    settled(page)


def no_error(page: Page) -> None:
    text = page.locator("body").inner_text()
    assert "Traceback" not in text and "Something went wrong" not in text, text


def add_included_model(store: RunStore, run_id: str) -> None:
    """Give a made-up run the network that AquaDash ships, which answers without TensorFlow."""
    give_network(store, run_id, read_artifact(FOLDER / CONFIG, CONFIG).model, FOLDER / MODEL)
