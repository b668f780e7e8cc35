"""A class on one machine: visitors (:mod:`scripts.bench.tab`) change pages and watch one training for a whole lesson.

Server, training and visitors run on this machine. The training's speed without load is measured between the phases of
load, while no tab asks for anything: a machine changes its speed within minutes, so only neighbouring phases compare.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from aquadash import settings
from aquadash.data.progress import ProgressCallback, silent
from aquadash.store import Run, RunStatus, RunStore
from aquadash.store.database import Database
from scripts.bench.tab import ServerError, Tab
from scripts.bench.visitors import Sights, Visitor, every_place
from tests.support.serving import Server, serving, start_server
from tests.support.waiting import wait_for

#: Goals of a lesson of thirty visitors on two cores: title, side and value of each figure.
GOALS = {
    "page_p95_seconds": ("page change, 95 of 100 within", "at most", 1.5),
    "update_p95_seconds": ("live update behind, 95 of 100 within", "at most", 2.0),
    "training_ratio": ("training's speed, as a share of alone", "at least", 0.9),
    "session_megabytes": ("memory a session, MB", "at most", 8.0),
    "memory_after_ratio": ("memory after they have left, as a share of before", "at most", 1.1),
    "error_count": ("errors", "at most", 0),
}

#: A phase of load and the sleep after it, in seconds: longer than an epoch, shorter than the minutes in which a machine
#: changes its speed. Short lessons have shorter phases.
LOAD_SECONDS = 60.0
SLEEP_SECONDS = 20.0
#: Seconds at the start of a phase that are not measured.
_EDGE_SECONDS = 2.0
#: Lines that every server prints when it starts and ends.
_BANNER = ("You can now view your Streamlit app", "URL: http://", "Stopping...", "Gathering usage")

# In a process of its own: the imports of the store and the pages would burden the process of the visitors.
_PREPARE = """
import json
from aquadash.config import with_values
from aquadash.pages import PAGES
from aquadash.presets import PRESETS
from aquadash.store import RunStatus, open_store
from aquadash.store.first_model import add_first_model
from aquadash.ui.kit.sections import queries
from scripts.generate_runs import generate_runs
store = open_store()
trained = add_first_model(store).run_id
made = generate_runs(store, runs=30, epochs=60)
others = [each for each in made if store.get(each).status is RunStatus.FINISHED][-6:]
config = with_values(PRESETS["notebook-fixed"].config, {"training.epochs": 2000, "training.patience": 0})
run = store.submit(config, name="What the class watches")
sections = {name: queries(name) for name, page in PAGES.items() if page.visits}
print(json.dumps({"training": run.run_id, "trained": trained, "others": others, "sections": sections}))
"""

_TRAIN = """
import os
from aquadash.store import Worker, open_jobs
from aquadash.store.runs import KIND
from aquadash.work import worker
job = open_jobs().claim([KIND], Worker.of(os.getpid()))
worker.main([KIND, job.id, str(job.attempt)])
"""


@dataclass(frozen=True)
class Load:
    """The size of a lesson: visitors, its length in seconds, and the seed of the visitors' paths."""

    sessions: int
    seconds: float
    #: Seconds to wait for the memory of visitors who have left, which Streamlit keeps for two minutes; 0: not at all.
    leave_seconds: float
    seed: int


def bench_load(load: Load, *, on_progress: ProgressCallback = silent) -> dict[str, Any]:
    """Run the lesson; see :meth:`_Lesson.result`."""
    with tempfile.TemporaryDirectory(prefix="aquadash-load-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        on_progress("Making up runs and starting a training", None)
        with training(home) as sights, serving(home) as server:
            with ProgressRecord(home, sights.training) as record:
                lesson = _Lesson(load, sights, server, record, on_progress)
                asyncio.run(lesson.hold())
            # Here, because the thread of the record has ended.
            return lesson.result()


@contextmanager
def training(home: Path) -> Iterator[Sights]:
    """Fill a new home with runs and train the report's network until the block ends; yield its runs and sections."""
    where: dict[str, Any] = {"env": {**os.environ, "AQUADASH_HOME": str(home)}, "cwd": settings.PROJECT_ROOT}
    done = subprocess.run([sys.executable, "-c", _PREPARE], capture_output=True, text=True, **where)
    if done.returncode:
        raise ServerError(f"The runs could not be made up: {done.stderr[-600:]}")
    sights = Sights(**json.loads(done.stdout.splitlines()[-1]))
    log = home / "bench-worker.log"
    worker = start_server([sys.executable, "-c", _TRAIN], log, **where)
    record = ProgressRecord(home, sights.training)

    def begun() -> bool:
        if worker.poll() is not None:
            raise ServerError(f"The training did not start. It says: {log.read_text(errors='replace')[-600:]}")
        progress = record.run().progress
        return progress is not None and progress.epoch >= 2

    try:
        wait_for(begun, timeout=180, saying=log.read_text)
        yield sights
    finally:
        worker.kill()
        worker.wait()


class ProgressRecord:
    """The progress that a training's worker writes, read by a thread while the block lasts."""

    def __init__(self, home: Path, run_id: str) -> None:
        self._store = RunStore(Database(f"sqlite:///{home / 'aquadash.db'}"))
        self._run_id = run_id
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_until_end, name="load-progress", daemon=True)
        self._times: list[float] = []
        self._epochs: list[float] = []
        #: Unix time at which the worker reported (epoch, batch), ascending.
        self.written: dict[tuple[int, int], float] = {}

    def __enter__(self) -> ProgressRecord:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def run(self) -> Run:
        """Return the run that trains, with its worker's latest report."""
        return self._store.get(self._run_id)

    def epochs_a_second(self, begin: float, end: float) -> float:
        """Return the training's speed between two times."""
        first, last = bisect_left(self._times, begin), bisect_left(self._times, end) - 1
        if last <= first:
            return 0.0
        return (self._epochs[last] - self._epochs[first]) / (self._times[last] - self._times[first])

    def _look_until_end(self) -> None:
        while not self._ended.wait(0.2):
            progress = self.run().progress
            if progress is None or not progress.batches or (self._times and progress.time <= self._times[-1]):
                continue
            self.written.setdefault((progress.epoch, progress.batch), progress.time)
            # Append the time last: `epochs_a_second` runs in another thread and indexes by the times.
            self._epochs.append(progress.epoch - 1 + progress.batch / progress.batches)
            self._times.append(progress.time)


@dataclass
class _Phase:
    """A phase of load or sleep: the training's speed, in epochs a second, and the cores that each process used."""

    begin: float
    end: float
    pace: float
    cores: dict[str, float]


class _Lesson:
    """The course of a load test."""

    def __init__(
        self, load: Load, sights: Sights, server: Server, record: ProgressRecord, on_progress: ProgressCallback
    ) -> None:
        self._load, self._sights, self._server = load, sights, server
        self._record, self._on_progress = record, on_progress
        worker = record.run().worker
        assert worker is not None
        self._processes = {
            "server": psutil.Process(server.process.pid),
            "training": psutil.Process(worker.pid),
            "visitor": psutil.Process(),
        }
        self._phases: list[_Phase] = []
        self._visitors: list[Visitor] = []
        self._errors: list[str] = []
        self._before = self._max = self._after = 0.0

    async def hold(self) -> None:
        """Hold the lesson, from the first tour to the end."""
        await self._tour()
        self._before = self._memory()
        awake = asyncio.Event()
        self._visitors = [
            Visitor(self._server.address, self._sights, seed=self._load.seed * 1000 + number, awake=awake)
            for number in range(self._load.sessions)
        ]
        pairs = max(1, round(self._load.seconds / (LOAD_SECONDS + SLEEP_SECONDS)))
        asleep = self._load.seconds * SLEEP_SECONDS / (LOAD_SECONDS + SLEEP_SECONDS) / (pairs + 1)
        loaded = self._load.seconds * LOAD_SECONDS / (LOAD_SECONDS + SLEEP_SECONDS) / pairs
        await self._phase(asleep, "Training alone", 0.0)
        # All visitors arrive in the first half of the first phase.
        tasks = [asyncio.create_task(each.stay(within=loaded / 2)) for each in self._visitors]
        for number in range(pairs):
            awake.set()
            for visitor in self._visitors:
                visitor.pause(False)
            await self._phase(loaded, f"{self._load.sessions} visitors", number / pairs)
            awake.clear()
            for visitor in self._visitors:
                visitor.pause(True)
            await self._phase(asleep, "Everybody sleeps", (number + 0.8) / pairs)
        self._errors += [f"A visitor gave up: {task.exception()}" for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._errors += [error for visitor in self._visitors for error in visitor.tab.counts.errors]
        if self._record.run().status is not RunStatus.RUNNING:
            self._errors.append("The training ended before the lesson.")
        end = time.monotonic() + self._load.leave_seconds
        while (left := end - time.monotonic()) > 0:
            self._on_progress("All have left", 1.0 - left / self._load.leave_seconds)
            await asyncio.sleep(min(left, 5.0))
        self._after = self._memory()
        self._errors += complaints(self._server.log)

    async def _tour(self) -> None:
        """Let one visitor open every place, so that the caches of the app are full before anything is measured."""
        tab = Tab(self._server.address)
        await tab.open()
        places = every_place(self._sights)
        for number, place in enumerate(places):
            self._on_progress("A first tour of all pages", number / len(places))
            await tab.go(place.page, place.query)
        await tab.close()
        self._errors += [f"First tour: {error}" for error in tab.counts.errors]

    async def _phase(self, seconds: float, what: str, fraction: float) -> None:
        await asyncio.sleep(_EDGE_SECONDS)
        used = {name: _used(process) for name, process in self._processes.items()}
        begin = time.time()
        end = time.monotonic() + max(1.0, seconds - _EDGE_SECONDS)
        while (left := end - time.monotonic()) > 0:
            self._on_progress(what, fraction)
            self._max = max(self._max, self._memory())
            await asyncio.sleep(min(left, 1.0))
        ended = time.time()
        cores = {name: (_used(process) - used[name]) / (ended - begin) for name, process in self._processes.items()}
        self._phases.append(_Phase(begin, ended, self._record.epochs_a_second(begin, ended), cores))

    def _memory(self) -> float:
        """Return the server's resident memory in MB."""
        return float(self._processes["server"].memory_info().rss) / 1e6

    def result(self) -> dict[str, Any]:
        """Return the figures; ``goals`` judges those that have a goal.

        A page change lasts from the request to the end of the page's script, an update from the worker's report to the
        message at the visitor, both in seconds. Megabytes and cores are the server's unless named otherwise.
        """
        waited = self._load.leave_seconds > 0
        asleep, loaded = self._phases[::2], self._phases[1::2]
        ratios = [
            divided(each.pace, (before.pace + after.pace) / 2)
            for before, each, after in zip(asleep[:-1], loaded, asleep[1:], strict=True)
        ]
        changes = [change for visitor in self._visitors for change in visitor.changes]
        lags = [
            lag for visitor in self._visitors for watch in visitor.watches for lag in watch.lags(self._record.written)
        ]
        whole, update = spread([seconds for _, seconds in changes]), spread(lags)
        # Subtract memory that the tour allocated and that the visitors use again.
        least = min(self._before, self._after) if waited else self._before
        busy = sum(phase.end - phase.begin for phase in loaded)
        figures = {
            "sessions": self._load.sessions,
            "seconds": self._load.seconds,
            "page_changes": len(changes),
            "page_p50_seconds": whole["p50"],
            "page_p95_seconds": whole["p95"],
            "pages": {
                name: spread([seconds for page, seconds in changes if page == name])
                for name in sorted({page for page, _ in changes})
            },
            "updates": len(lags),
            "update_p50_seconds": update["p50"],
            "update_p95_seconds": update["p95"],
            "training_alone": statistics.mean(phase.pace for phase in asleep),
            "training_loaded": statistics.mean(phase.pace for phase in loaded),
            "training_ratio": statistics.median(ratios),
            "training_ratios": ratios,
            "memory_before_megabytes": self._before,
            "memory_megabytes": self._max,
            "session_megabytes": (self._max - least) / self._load.sessions,
            "memory_after_megabytes": self._after if waited else None,
            "memory_after_ratio": divided(self._after, self._before) if waited else None,
            **{f"{name}_cores": statistics.mean(phase.cores[name] for phase in loaded) for name in self._processes},
            "redraws": sum(visitor.tab.counts.redraws for visitor in self._visitors) / busy,
            "kilobytes": sum(visitor.tab.counts.bytes_received for visitor in self._visitors) / busy / 1000,
            "errors": self._errors[:20],
            "error_count": len(self._errors),
        }
        return {**figures, "goals": judged(figures)}


def judged(figures: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Compare the measured figures with :data:`GOALS`."""
    goals = {}
    for name, (what, side, goal) in GOALS.items():
        value = figures[name]
        if value is not None:
            met = value <= goal if side == "at most" else value >= goal
            goals[name] = {"what": what, "goal": f"{side} {goal:g}", "value": value, "met": bool(met)}
    return goals


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median and 95th percentile; NaN without values."""
    p50, p95 = np.percentile(values, [50, 95]).tolist() if values else (float("nan"), float("nan"))
    return {"p50": p50, "p95": p95, "count": len(values)}


def divided(number: float, by: float) -> float:
    """Divide; NaN by 0."""
    return number / by if by else float("nan")


def _used(process: psutil.Process) -> float:
    """Return the seconds of processor time of a process; 0 where it has ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def complaints(log: Path) -> list[str]:
    """Return the lines that the server has printed besides its banner."""
    lines = (line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines())
    return [f"Server: {line}" for line in lines if line and not any(part in line for part in _BANNER)]
