"""The training that goes on during the load test, and a record of what its worker has written."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aquadash import settings
from aquadash.bench.app_server import ServerError, end_process, environment
from aquadash.bench.load_walk import Runs
from aquadash.runs import tags
from aquadash.runs.types import Progress, RunStatus

#: Runs that are made up beside the training: a class has some behind it.
STORED_RUNS = 30
#: Enough for any duration.
_EPOCHS = 2000
_LOOK_SECONDS = 0.2
_START_SECONDS = 180.0

# In a process of its own, whose settings name the new home. The worker is a child of nobody there, as in the app.
_PREPARE = """
import json, os, sys
from aquadash.config import with_values
from aquadash.presets import PRESETS
from aquadash.runs import Worker, open_store
from aquadash.runs.first_model import add_first_model
from aquadash.runs.generated import generate_runs
from aquadash.runs.snapshot import snapshot_of
from aquadash.runs.types import RunStatus
import socket
store = open_store()
trained = add_first_model(store).run_id
made = generate_runs(store, runs=int(sys.argv[1]), epochs=60)
others = [each for each in made if store.get(each).status is RunStatus.FINISHED][-6:]
config = with_values(PRESETS["notebook-fixed"].config, {"training.epochs": int(sys.argv[2]), "training.patience": 0})
run = store.create(config, name="What the class watches", queued_by=Worker(socket.gethostname(), int(sys.argv[3])))
snapshot_of(store).runs()
print(json.dumps({"training": run.run_id, "trained": trained, "others": others}))
"""


@contextmanager
def training(home: Path) -> Iterator[Runs]:
    """Fill a new home with runs and train the report's network there until the block ends.

    Yields:
        The runs, once the training is in its first epochs.

    Raises:
        ServerError: The training does not start.
    """
    settled = environment(home)
    done = subprocess.run(
        [sys.executable, "-c", _PREPARE, str(STORED_RUNS), str(_EPOCHS), str(os.getpid())],
        env=settled, cwd=settings.PROJECT_ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise ServerError(f"The runs could not be made up: {done.stderr[-600:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    runs = Runs(found["training"], found["trained"], tuple(found["others"]))
    log = home / "bench-worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "aquadash", "worker", runs.training],
            env=settled, cwd=settings.PROJECT_ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        end = time.monotonic() + _START_SECONDS
        while (progress := read_progress(home, runs.training)) is None or progress.epoch < 2:
            if worker.poll() is not None or time.monotonic() > end:
                raise ServerError(f"The training did not start. It says: {log.read_text(errors='replace')[-600:]}")
            time.sleep(_LOOK_SECONDS)
        yield runs
    finally:
        end_process(worker)


def read_progress(home: Path, run_id: str) -> Progress | None:
    """What the worker has written last, read past the app's own layers so that looking costs next to nothing."""
    text = _tag(home, run_id, tags.PROGRESS)
    return Progress(**json.loads(text)) if text else None


def worker_pid(home: Path, run_id: str) -> int:
    """The training's process."""
    return int(json.loads(_tag(home, run_id, tags.WORKER) or "{}").get("pid", 0))


def is_running(home: Path, run_id: str) -> bool:
    """Whether the training goes on."""
    return _tag(home, run_id, tags.STATUS) == RunStatus.RUNNING


def _tag(home: Path, run_id: str, name: str) -> str | None:
    connection = sqlite3.connect(f"file:{home / 'runs.db'}?mode=ro", uri=True, timeout=10)
    try:
        row = connection.execute("SELECT value FROM tags WHERE run_uuid = ? AND key = ?", (run_id, name)).fetchone()
    finally:
        connection.close()
    return None if row is None else str(row[0])


class ProgressRecord:
    """What a worker has written and when, noted by a thread while the block lasts."""

    def __init__(self, home: Path, run_id: str) -> None:
        self._home = home
        self._run_id = run_id
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look_until_end, name="load-progress", daemon=True)
        self._times: list[float] = []
        self._epochs: list[float] = []
        #: When the worker wrote that it was at (epoch, batch), in seconds since 1970, in that order.
        self.written: dict[tuple[int, int], float] = {}

    def __enter__(self) -> ProgressRecord:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def epochs_a_second(self, begin: float, end: float) -> float:
        """The training's pace between two times, in epochs a second."""
        first, last = bisect_left(self._times, begin), bisect_left(self._times, end) - 1
        if last <= first:
            return 0.0
        return (self._epochs[last] - self._epochs[first]) / (self._times[last] - self._times[first])

    def _look_until_end(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            progress = read_progress(self._home, self._run_id)
            if progress is None or not progress.batches or (self._times and progress.time <= self._times[-1]):
                continue
            self.written.setdefault((progress.epoch, progress.batch), progress.time)
            # The times last: they say how many there are to whoever reads the pace meanwhile.
            self._epochs.append(progress.epoch - 1 + progress.batch / progress.batches)
            self._times.append(progress.time)
