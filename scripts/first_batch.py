"""Time the way from a click on Train to the first batch, in a browser and by the engine, on an otherwise idle app.

    python scripts/first_batch.py --repeats 10

The form is as it first opens, on the embedded images, the report's four pipelines and all. Each training is stopped
once it has begun. Needs Playwright (requirements-dev.txt) and Chromium.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from playwright.sync_api import Page

#: Milliseconds until a browser gives up.
_PATIENCE = 120_000


@click.command()
@click.option("--repeats", type=click.IntRange(1, 100), default=10, show_default=True, help="Trainings each way.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def main(repeats: int, as_json: bool) -> None:
    """Print seconds from the click to the first batch."""
    with tempfile.TemporaryDirectory(prefix="aquadash-first-batch-") as folder:
        os.environ["AQUADASH_HOME"] = folder
        from tests.serving import serving

        with serving(Path(folder)) as server, _page() as page:
            page.goto(f"{server.url}/train")
            button = page.get_by_role("button", name="Train", exact=True)
            button.wait_for()
            _wait_for_standby(Path(folder))
            clicks = [_click(page, server.url) for _ in range(repeats)]
        engine = _by_engine(repeats)
    found = {
        "browser_seconds": statistics.median(clicks),
        "engine_seconds": statistics.median(engine),
        "browser": clicks,
        "engine": engine,
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(
        f"first batch on the screen {found['browser_seconds']:.2f} s after the click; by the engine, "
        f"{found['engine_seconds']:.2f} s after the order (medians of {repeats})"
    )


@contextmanager
def _page() -> Iterator[Page]:
    from playwright.sync_api import sync_playwright

    from tests.serving import chromium

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(_PATIENCE)
        yield page
        browser.close()


def _wait_for_standby(home: Path) -> None:
    """Until the process that stands by has imported all it needs, as while somebody reads the form."""
    log = home / "logs" / "standby.log"
    while not log.is_file() or "standing by" not in log.read_text(errors="replace"):
        time.sleep(0.2)


def _click(page: Page, url: str) -> float:
    """Seconds until the first batches are on the screen."""
    from aquadash.runs import open_store

    page.goto(f"{url}/train")
    button = page.get_by_role("button", name="Train", exact=True)
    button.wait_for()
    page.wait_for_timeout(1500)
    began = time.time()
    button.click()
    page.get_by_text(re.compile(r"Epoch \d+ of \d+ · batch")).first.wait_for()
    seconds = time.time() - began
    store = open_store()
    (run,) = store.unfinished_runs()
    store.request_stop(run.run_id)
    while not store.get(run.run_id).status.ended:
        time.sleep(0.1)
    return seconds


def _by_engine(repeats: int) -> list[float]:
    from aquadash.engine import open_engine
    from aquadash.presets import PRESETS
    from aquadash.runs import open_store

    store, seconds = open_store(), []
    with open_engine() as engine:
        engine.prepare()
        _wait_for_standby(Path(os.environ["AQUADASH_HOME"]))
        for _ in range(repeats):
            began = time.time()
            run_id = engine.submit(PRESETS["notebook-fixed"].config).run_id
            while (progress := store.get(run_id).progress) is None or not progress.batch:
                time.sleep(0.01)
            seconds.append(time.time() - began)
            store.request_stop(run_id)
            while not store.get(run_id).status.ended:
                time.sleep(0.1)
    return seconds


if __name__ == "__main__":
    main()
