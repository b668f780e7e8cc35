"""How long each page's script takes, on a server that has just started and on a warm one, with few and with many
stored runs.

What is timed lies between the request that a browser sends and the end of the page's script, with everything sent.
Drawing in the browser comes on top.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from aquadash.errors import UnknownNameError
from aquadash.pages import PAGES
from scripts.bench.tab import ServerError, Tab
from tests.serving import serving

FEW = 5
#: The page with the table of runs stands out in the result.
_TABLE = "compare"


def bench_app(
    *, runs: int = 1000, repeats: int = 5, pages: Sequence[str] = (), on_progress: ProgressCallback = silent
) -> dict[str, Any]:
    """Time the pages.

    Args:
        runs: How many runs the full store holds. They are made up, which takes minutes for a thousand.
        repeats: How many drawings make a warm time.
        pages: Which; all when empty. The one with the table of runs is always among them.
        on_progress: Called with what is done, and the fraction of it.

    Returns:
        ``few_seconds`` and ``many_seconds``: a warm drawing of the table of runs, with few runs and with many;
        ``ratio``, the first by the second: 1 if the others cost nothing; ``runs``, ``few`` and ``repeats``; and for
        each of ``pages`` its name, ``few_cold_seconds`` and ``many_cold_seconds`` of its first drawing by a server that
        has served nobody yet, ``few_seconds`` and ``many_seconds``, the medians of later ones, and ``kilobytes``, what
        the server sends for the first drawing, with many runs.

    Raises:
        UnknownNameError: There is no such page.
        ServerError: A page fails.
    """
    known = sorted(PAGES)
    for name in pages:
        if name not in known:
            raise UnknownNameError.of("page", name, known)
    wanted = [name for name in known if not pages or name in pages or name == _TABLE]
    found: dict[int, dict[str, tuple[float, float, float]]] = {}
    for number in dict.fromkeys((FEW, runs)):
        with tempfile.TemporaryDirectory(prefix="aquadash-bench-", ignore_cleanup_errors=True) as home:
            on_progress(f"Making up {number:,} runs", None)
            generate = [sys.executable, "scripts/generate_runs.py", "--home", home, "--runs", str(number)]
            subprocess.run(generate, cwd=settings.PROJECT_ROOT, stdout=subprocess.DEVNULL, check=True)
            found[number] = {}
            for position, name in enumerate(wanted):
                on_progress(f"Timing with {number:,} runs", position / len(wanted))
                found[number][name] = time_page(Path(home), name, repeats=repeats)
    few, many = found[FEW], found[runs]
    return {
        "ratio": few[_TABLE][1] / many[_TABLE][1],
        "few_seconds": few[_TABLE][1],
        "many_seconds": many[_TABLE][1],
        "runs": runs,
        "few": FEW,
        "repeats": repeats,
        "pages": [
            {
                "page": name,
                "few_cold_seconds": few[name][0],
                "few_seconds": few[name][1],
                "many_cold_seconds": many[name][0],
                "many_seconds": many[name][1],
                "kilobytes": many[name][2],
            }
            for name in wanted
        ],
    }


def time_page(home: Path, page: str, *, repeats: int) -> tuple[float, float, float]:
    """Time one page on a server of its own.

    Args:
        home: The ``AQUADASH_HOME``.
        page: Its name.
        repeats: How many warm drawings.

    Returns:
        Seconds of the first drawing, the median of the later ones, and the kilobytes of the first.

    Raises:
        ServerError: The page fails.
    """
    with serving(home) as server:
        return asyncio.run(_time(server.address, page, repeats))


async def _time(address: str, page: str, repeats: int) -> tuple[float, float, float]:
    tab = Tab(address)
    await tab.open()
    tab.quiet(True)
    try:
        cold = await tab.go(page)
        kilobytes = tab.counts.bytes_received / 1000
        # What is made ready in the background after a start is not to be timed with the page.
        previous = cold
        for _ in range(20):
            seconds = await tab.go(page)
            if seconds > 0.7 * previous:
                break
            previous = seconds
        warm = statistics.median([await tab.go(page) for _ in range(repeats)])
    finally:
        await tab.close()
    if tab.counts.errors:
        raise ServerError(f"The page {page} failed: {tab.counts.errors[0]}")
    return cold, warm, kilobytes
