"""Measures the start of a training: from a click on Train in a browser until its first batch."""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash.data.progress import ProgressCallback, silent
from aquadash.store import open_store
from tests.support.serving import CHROMIUM_ARGUMENTS, SLOW, chromium, serving
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page


def bench_start(*, repeats: int = 10, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time the starts on an otherwise idle app, with the form as it opens; ``browser_seconds`` is the median."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="aquadash-bench-") as folder:
        os.environ["AQUADASH_HOME"] = folder
        home, log = Path(folder), Path(folder, "logs", "standby.log")
        with serving(home) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.set_default_timeout(SLOW)
            page.goto(f"{server.url}/train")
            page.get_by_role("button", name="Train", exact=True).wait_for()
            # The standby process imports everything while a student reads the form.
            wait_for(lambda: log.is_file() and "standing by" in log.read_text(errors="replace"))
            clicks = []
            for number in range(repeats):
                on_progress("clicking", number / repeats)
                clicks.append(_click(page, server.url))
            browser.close()
    return {"browser_seconds": statistics.median(clicks), "browser": clicks}


def _click(page: Page, url: str) -> float:
    """Return the seconds until the first batches are on the screen, and stop the training."""
    page.goto(f"{url}/train")
    button = page.get_by_role("button", name="Train", exact=True)
    button.wait_for()
    page.wait_for_timeout(1500)
    began = time.time()
    button.click()
    page.get_by_text(re.compile(r"Epoch \d+ of \d+ · batch")).first.wait_for()
    seconds = time.time() - began
    store = open_store()
    (run,) = (run for run in store.list_runs() if not run.status.ended)
    store.request_stop(run.run_id)
    wait_for(lambda: store.get(run.run_id).status.ended)
    return seconds
