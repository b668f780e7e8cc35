"""The training that goes on during the load test, and a record of what its worker has written."""

from __future__ import annotations

import functools
import json
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
from aquadash.jobs import Job, JobStatus
from aquadash.jobs.table import Jobs
from aquadash.jobs.types import job_id
from aquadash.runs.reading import KIND, progress_of
from aquadash.runs.types import Progress

#: Runs that are made up beside the training: a class has some behind it.
STORED_RUNS = 30
#: Enough for any duration.
_EPOCHS = 2000
_LOOK_SECONDS = 0.2
_START_SECONDS = 180.0

# In a process of its own, whose settings name the new home.
_PREPARE = """
import json, os, sys
from aquadash.config import with_values
from aquadash.presets import PRESETS
from aquadash.runs import open_store
from aquadash.runs.first_model import add_first_model
from aquadash.runs.generated import generate_runs
from aquadash.runs.snapshot import snapshot_of
from aquadash.runs.types import RunStatus
store = open_store()
trained = add_first_model(store).run_id
made = generate_runs(store, runs=int(sys.argv[1]), epochs=60)
others = [each for each in made if store.get(each).status is RunStatus.FINISHED][-6:]
config = with_values(PRESETS["notebook-fixed"].config, {"training.epochs": int(sys.argv[2]), "training.patience": 0})
run = store.create(config, name="What the class watches")
store.queue(run.run_id)
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
        [sys.executable, "-c", _PREPARE, str(STORED_RUNS), str(_EPOCHS)],
        env=settled, cwd=settings.PROJECT_ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise ServerError(f"The runs could not be made up: {done.stderr[-600:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    runs = Runs(found["training"], found["trained"], tuple(found["others"]))
    log = home / "bench-worker.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "aquadash.jobs.worker", KIND, "--once"],
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
    """What the worker has reported last."""
    return progress_of(_job(home, run_id))


def worker_pid(home: Path, run_id: str) -> int:
    """The training's process."""
    worker = _job(home, run_id).worker
    return worker.pid if worker else 0


def is_running(home: Path, run_id: str) -> bool:
    """Whether the training goes on."""
    return _job(home, run_id).status is JobStatus.RUNNING


def _job(home: Path, run_id: str) -> Job:
    job = _jobs(home).get(job_id(KIND, run_id))
    assert job is not None
    return job


@functools.lru_cache(maxsize=1)
def _jobs(home: Path) -> Jobs:
    """The jobs of a home that is not this process's own."""
    return Jobs(f"sqlite:///{home / 'jobs.db'}")


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
