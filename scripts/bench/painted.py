"""When Compare's table of many runs is on the screen of a real browser."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from tests.support.serving import CHROMIUM_ARGUMENTS, chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

#: Checks at each frame whether the first three rows are there, as dark pixels on Streamlit's canvas, and notes the time
#: of the next frame.
_LOOK = """
(() => {
  const letters = () => {
    const canvas = document.querySelector('[data-testid="stDataFrame"] canvas[data-testid="data-grid-canvas"]');
    if (!canvas || canvas.width < 100 || canvas.getBoundingClientRect().top > innerHeight) return false;
    const scale = canvas.width / canvas.getBoundingClientRect().width, pixels = (n) => Math.round(n * scale);
    return [1, 2, 3].every((row) => {
      const { data } = canvas.getContext('2d').getImageData(pixels(50), pixels(35 * row + 4), pixels(200), pixels(27));
      let dark = 0;
      for (let at = 0; at < data.length; at += 4) {
        dark += Math.abs(data[at] - data[0]) + Math.abs(data[at + 1] - data[1]) > 100;
      }
      return dark > 60;
    });
  };
  const look = () => {
    if (letters()) {
      requestAnimationFrame(() => setTimeout(() => { window.paintedAfter = performance.now() / 1000; }));
    } else {
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
})()
"""
#: Time for a server's preparations after its start.
_READY_SECONDS = 20.0
_LONGEST = 120_000

#: Runs a server until the block ends; yields the address of its table.
Serving = Callable[[], AbstractContextManager[str]]


def bench_painted(*, runs: int = 1000, repeats: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time the first three rows of the table; see :func:`time_table`."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="aquadash-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        on_progress(f"Making up {runs:,} runs", None)
        generate = [sys.executable, "scripts/generate_runs.py", "--home", folder, "--runs", str(runs)]
        subprocess.run(generate, cwd=settings.PROJECT_ROOT, stdout=subprocess.DEVNULL, check=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_ARGUMENTS))
            on_progress("Opening the table", None)
            times = time_table(browser, lambda: compare_of(home), repeats=repeats)
            browser.close()
    return {"runs": runs, "repeats": repeats, **times}


def time_table(browser: Browser, serving: Serving, *, repeats: int) -> dict[str, Any]:
    """Time the opening of one server's table until its rows are painted.

    ``cold_seconds``: median of the first tab of a new browser at a new server; ``warm_seconds``: of later tabs.
    """
    cold, warm = [], []
    for number in range(repeats):
        with serving() as address:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            cold.append(_opened(context, address))
            if number == repeats - 1:
                time.sleep(_READY_SECONDS)
                warm = [_opened(context, address) for _ in range(repeats + 1)][1:]
            context.close()
    medians = {"cold_seconds": statistics.median(cold), "warm_seconds": statistics.median(warm)}
    return {**medians, "cold": cold, "warm": warm}


def _opened(context: BrowserContext, address: str) -> float:
    page = context.new_page()
    page.add_init_script(_LOOK)
    page.goto(address, wait_until="commit")
    page.wait_for_function("window.paintedAfter", polling=50, timeout=_LONGEST)
    seconds = float(page.evaluate("window.paintedAfter"))
    page.close()
    return seconds


@contextmanager
def compare_of(home: Path) -> Iterator[str]:
    """Serve Compare and yield its address."""
    with serving(home) as server:
        yield f"{server.url}/compare"
