"""The replay of epochs in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aquadash.runs import open_store
from tests.browser_pages import address_has, no_error
from tests.serving import needs_chromium, serving
from tests.stored_runs import add_run
from tests.test_pages_epochs import replay

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = needs_chromium


def test_epochs_are_scrubbed_and_played_to_the_end(warm_home: Path, page: Page) -> None:
    store = open_store()
    run = add_run(store)
    store.add_epoch_replay(run.run_id, replay())
    with serving(warm_home) as server:
        page.goto(f"{server.url}/evaluate?run={run.run_id}&section=epochs&epoch=2")
        page.get_by_text("After epoch 2: 10 of 42").wait_for()
        slider = page.get_by_role("slider", name="Epoch")
        slider.press("ArrowRight")
        page.get_by_text("After epoch 3: 15 of 43").wait_for()
        address_has(page, "epoch=3")

        page.get_by_role("button", name="Play").click()
        page.get_by_text("After epoch 5:").wait_for()
        page.get_by_text("After epoch 6: 30 of 46").wait_for()
        page.get_by_role("button", name="Play").wait_for()  # It has stopped by itself.
        page.wait_for_function("() => !location.href.includes('epoch=')")

        page.reload()
        page.get_by_text("After epoch 6: 30 of 46").wait_for()
        no_error(page)
