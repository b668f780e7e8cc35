"""How long the app's pages take: each page's script on a server that has just started and on a warm one, with few and
with many stored runs.

What is timed lies between the request that a browser sends and the end of the page's script, with everything sent.
Drawing in the browser comes on top.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aquadash import settings
from aquadash.bench.app_server import ServerError, app_server
from aquadash.bench.tab import Tab
from aquadash.errors import UnknownNameError
from aquadash.pages import PAGES

FEW = 5
_EPOCHS = 100
#: Pages that stand out in the result: the one with the table of runs.
_TABLE = "compare"

Progress = Callable[[str, float | None], None]


@dataclass(frozen=True)
class PageTiming:
    """One page.

    Attributes:
        page: Its name in the address.
        few_cold_seconds: Its first drawing by a server that has served nobody yet, with few stored runs.
        few_seconds: The median of later drawings.
        many_cold_seconds: The same with many runs.
        many_seconds: The same with many runs.
        kilobytes: What the server sends for the first drawing, with many runs. Of later ones it sends what is new.
    """

    page: str
    few_cold_seconds: float
    few_seconds: float
    many_cold_seconds: float
    many_seconds: float
    kilobytes: float


@dataclass(frozen=True)
class AppBench:
    """All pages.

    Attributes:
        ratio: ``few_seconds / many_seconds`` of the page with the table of runs: 1 if the others cost nothing.
        few_seconds: Its warm drawing with few runs.
        many_seconds: Its warm drawing with many runs.
        runs: How many are many.
        few: How many are few.
        repeats: Of how many drawings a warm time is the median.
        pages: Every page.
    """

    ratio: float
    few_seconds: float
    many_seconds: float
    runs: int
    few: int
    repeats: int
    pages: tuple[PageTiming, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_app(
    *, runs: int = 1000, repeats: int = 5, pages: Sequence[str] = (), progress: Progress | None = None
) -> AppBench:
    """Time the pages.

    Args:
        runs: How many runs the full store holds. They are made up, which takes a minute for a thousand.
        repeats: How many drawings make a warm time.
        pages: Which; all when empty. The one with the table of runs is always among them.
        progress: Told what is done, and how much of it, 0 to 1.

    Raises:
        UnknownNameError: There is no such page.
        ServerError: The app does not start, or a page fails.
    """
    known = sorted(PAGES)
    for name in pages:
        if name not in known:
            raise UnknownNameError.of("page", name, known)
    wanted = [name for name in known if not pages or name in pages or name == _TABLE]
    tell = progress or (lambda text, share: None)
    found: dict[int, dict[str, tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="aquadash-bench-") as folder:
        drawn = Path(folder) / "cache"
        for number in dict.fromkeys((FEW, runs)):
            home = Path(folder) / str(number)
            home.mkdir()
            tell(f"Making up {number:,} runs", None)
            if drawn.exists():
                shutil.copytree(drawn, home / "cache")
            _fill(home, number)
            if not drawn.exists():
                shutil.copytree(home / "cache", drawn)
            found[number] = {}
            for position, name in enumerate(wanted):
                tell(f"Timing with {number:,} runs", position / len(wanted))
                found[number][name] = time_page(home, name, repeats=repeats)
            shutil.rmtree(home, ignore_errors=True)
    few, many = found[FEW], found[runs]
    timings = tuple(PageTiming(name, *few[name][:2], *many[name]) for name in wanted)
    few_seconds, many_seconds = few[_TABLE][1], many[_TABLE][1]
    return AppBench(few_seconds / many_seconds, few_seconds, many_seconds, runs, FEW, repeats, timings)


def time_page(home: Path, page: str, *, repeats: int) -> tuple[float, float, float]:
    """Time one page on a server of its own.

    Args:
        home: The ``AQUADASH_HOME``.
        page: Its name.
        repeats: How many warm drawings.

    Returns:
        Seconds of the first drawing, the median of the later ones, and the kilobytes of the first.

    Raises:
        ServerError: The app does not start, or the page fails.
    """
    with app_server(home) as address:
        return asyncio.run(_time(address, page, repeats))


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


def _fill(home: Path, runs: int) -> None:
    """Make runs up in a process of its own, whose settings name that home."""
    script = (
        "import sys; from aquadash import data; from aquadash.runs import open_store;"
        "from aquadash.runs.generated import generate_runs; from aquadash.runs.snapshot import snapshot_of;"
        "data.load('synthetic'); store = open_store();"
        f"generate_runs(store, runs=int(sys.argv[1]), epochs={_EPOCHS}); snapshot_of(store).runs()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(runs)],
        env={**os.environ, "AQUADASH_HOME": str(home)},
        cwd=settings.PROJECT_ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ServerError(f"The runs could not be made up: {done.stderr[-600:]}")
