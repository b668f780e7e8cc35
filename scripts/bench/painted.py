"""When Compare's table of many runs is on the screen of a real browser."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from tests.support.serving import CHROMIUM_ARGUMENTS, SLOW, chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

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


def bench_painted(*, runs: int = 1000, repeats: int = 5, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Time the opening of the table until its first three rows are painted.

    ``cold_seconds``: median of the first tab of a new browser at a new server; ``warm_seconds``: of later tabs.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="aquadash-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        on_progress(f"Making up {runs:,} runs", None)
        generate = [sys.executable, "scripts/generate_runs.py", "--home", folder, "--runs", str(runs)]
        subprocess.run(generate, cwd=settings.PROJECT_ROOT, stdout=subprocess.DEVNULL, check=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)
            on_progress("Opening the table", None)
            cold, warm = [], []
            for number in range(repeats):
                with serving(home) as server:
                    context = browser.new_context(viewport={"width": 1280, "height": 800})
                    cold.append(_opened(context, f"{server.url}/compare"))
                    if number == repeats - 1:
                        time.sleep(_READY_SECONDS)
                        warm = [_opened(context, f"{server.url}/compare") for _ in range(repeats + 1)][1:]
                    context.close()
            browser.close()
    medians = {"cold_seconds": statistics.median(cold), "warm_seconds": statistics.median(warm)}
    return {"runs": runs, "repeats": repeats, **medians, "cold": cold, "warm": warm}


def _opened(context: BrowserContext, address: str) -> float:
    page = context.new_page()
    page.add_init_script(_LOOK)
    page.goto(address, wait_until="commit")
    page.wait_for_function("window.paintedAfter", polling=50, timeout=SLOW)
    seconds = float(page.evaluate("window.paintedAfter"))
    page.close()
    return seconds
