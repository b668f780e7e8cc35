"""Queue, stop, crash and resume, with real worker processes; only where the numbers matter do they train in earnest."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from aquadash import settings
from aquadash.config import RunConfig, with_values
from aquadash.errors import RunError, UnknownNameError
from aquadash.store import Run, RunStatus, RunStore
from aquadash.work.queue import Engine
from aquadash.work.standby import Standby
from tests.support import job_rows, live_runs
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import without_seconds
from tests.support.tiny_networks import QUICK
from tests.support.waiting import wait_for

#: Epochs long enough to be in the middle of one.
LONG = with_values(QUICK, {"training.epochs": 400, "training.batch_size": 8})


@pytest.fixture
def engine(store: RunStore) -> Iterator[Engine]:
    engine = Engine(store)
    yield engine
    for run in store.list_runs():
        if not run.status.ended:
            store.request_stop(run.run_id)
    for run in store.list_runs():
        if run.worker and run.worker.pid != os.getpid() and psutil.pid_exists(run.worker.pid):
            psutil.Process(run.worker.pid).wait(timeout=30)
    engine.close()


def ended(store: RunStore, run_id: str, *, timeout: float = 200.0) -> Run:
    return wait_for(
        lambda: run if (run := store.get(run_id)).status.ended else None,
        timeout=timeout,
        saying=lambda: store.get(run_id),
    )


def in_epoch(store: RunStore, run_id: str, epoch: int) -> Run:
    """Wait until the run is in the middle of that epoch or a later one."""

    def there() -> Run | None:
        run = store.get(run_id)
        assert not run.status.ended, run
        progress = run.progress
        return run if progress and progress.epoch >= epoch and 0 < progress.batch < progress.batches else None

    return wait_for(there, timeout=150, saying=lambda: store.get(run_id))


def test_old_leftovers_of_processes_go_away(store: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.start_no_process(monkeypatch)
    datasets, files = home / "datasets", home / "runs" / ("a" * 32)
    left = [
        home / "tmp" / "import-1",
        datasets / ".new-1",
        files / ".copied.part",
        files / "checkpoint" / ".copied.part",
        home / "exports" / "a.zip",
        *(home / "logs" / f"{kind}-b.log" for kind in ("export", "import", "robustness")),
    ]
    kept = [datasets / "mine", files / "checkpoint" / "state", home / "logs" / "train-b.log"]
    fresh = [home / "tmp" / "import-2", home / "logs" / "export-c.log"]
    for folder in (*left, *fresh, *kept):
        folder.mkdir(parents=True)
        (folder / "half").write_text("done")
    for folder in (*left, *kept):
        os.utime(folder, (1.0, 1.0))
    Engine(store).serve()
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in (*fresh, *kept))


def test_a_config_with_an_unknown_name_is_refused_before_it_is_stored(store: RunStore) -> None:
    for name, kind in (("data.source", "data source"), ("augmentation.pipeline", "pipeline"), ("model.name", "model")):
        with pytest.raises(UnknownNameError, match=f"no {kind} called 'nothing'"):
            Engine(store).submit(with_values(QUICK, {name: "nothing"}))
    assert store.list_runs() == []


#: Python imports this at the start of the process that stands by; its forks with ``HELD`` in their environment stay in
#: the middle of the third epoch.
HOLDING = """
import os, time
from aquadash.training import epoch_loop, fit

class Held:
    def __init__(self, listener):
        self.on_epoch, self.tell = listener.on_epoch, listener.on_progress

    def on_progress(self, progress):
        self.tell(progress)
        while progress.epoch == 3 and 0 < progress.batch < progress.batches:
            time.sleep(600)

def fit_held(*arguments, listener, **options):
    if "HELD" in os.environ:
        epoch_loop.CALL_SECONDS = 1e-9  # One batch a call, each of which is heard of.
        listener = Held(listener)
    return train(*arguments, listener=listener, **options)

train, fit.fit = fit.fit, fit_held
"""


@pytest.fixture
def holding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """Workers that are launched while ``HELD`` is in the environment stay in the middle of the third epoch."""
    (tmp_path / "sitecustomize.py").write_text(HOLDING)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(settings.PROJECT_ROOT)]))
    standing_by = Standby()
    job_rows.launch_by(monkeypatch, standing_by)
    yield standing_by
    standing_by.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_whose_worker_is_killed_goes_on_by_itself_to_the_same_end(
    holding: Standby, store: RunStore, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = in_folder(tmp_path / "mine", of_classes({name: 20 for name in ("cat", "dog", "eel")}))
    source = imported(pictures).keep("Mine").source
    config = with_values(QUICK, {"data.source": source, "training.epochs": 3, "training.batch_size": 8})
    monkeypatch.setenv("HELD", "yes")
    run_id = engine.submit(config).run_id
    run = in_epoch(store, run_id, 3)
    monkeypatch.delenv("HELD")
    os.kill(run.worker.pid, signal.SIGKILL)
    lost = wait_for(lambda: run if (run := store.get(run_id)).message else None, saying=lambda: store.get(run_id))
    assert lost.status in (RunStatus.QUEUED, RunStatus.RUNNING)
    assert "was lost (signal SIGKILL; its log is " in lost.message
    assert lost.message.endswith("; the next one goes on from what is complete.")
    kept = without_seconds(store.history(run_id))
    assert [record.epoch for record in kept] == [1, 2]

    assert ended(store, run_id).status is RunStatus.FINISHED
    resumed = without_seconds(store.history(run_id))
    assert resumed[:2] == kept and "resuming after epoch 2" in store.log(run_id)
    job = live_runs.job_of(run_id)
    assert (job.attempt, job.worker_failures, job.message) == (2, 0, "")

    # From another process than the two before: forks of one inherit the same random numbers.
    holding.close()
    whole = ended(store, engine.submit(config).run_id)
    assert whole.status is RunStatus.FINISHED
    assert resumed == without_seconds(store.history(whole.run_id))
    assert np.array_equal(store.predictions(run_id).probabilities, store.predictions(whole.run_id).probabilities)
    with pytest.raises(RunError, match="only a stopped, failed or interrupted"):
        engine.resume(run_id)


ENGINE_PROCESS = """
import sys
from aquadash.config import from_json
from aquadash.work.queue import open_engine
from aquadash.work import standby
standby.CAN_FORK = False  # Forking saves time from the second worker on.
engine = open_engine()
for text in sys.argv[1:]:
    print(engine.submit(from_json(text)).run_id, flush=True)
sys.stdin.read()
"""


@contextmanager
def other_engine(*configs: RunConfig) -> Iterator[list[str]]:
    """The ids of runs that an engine in a process of its own has queued; at the end it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENGINE_PROCESS, *(config.to_json() for config in configs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=settings.PROJECT_ROOT,
    )
    try:
        yield [process.stdout.readline().strip() for _ in configs]
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.mark.slow
def test_a_run_outlives_its_engine_and_the_queue_waits(quick_training: None, store: RunStore, engine: Engine) -> None:
    with other_engine(LONG, with_values(QUICK, {"training.epochs": 1})) as (training, waiting):
        in_epoch(store, training, 1)
        engine.serve()
        in_epoch(store, training, 3)
        assert store.ranks().get(waiting) == 1, "two engines of one home share its only slot"
        engine.close()
    before = in_epoch(store, training, 4)
    assert before.worker and psutil.pid_exists(before.worker.pid) and before.progress
    in_epoch(store, training, before.progress.epoch + 1)
    assert store.ranks().get(waiting) == 1, "no engine serves the queue"

    engine.serve()
    in_epoch(store, training, before.progress.epoch + 3)
    assert store.ranks().get(waiting) == 1, "a run of another engine holds its slot"

    store.request_stop(training)
    assert ended(store, training).status is RunStatus.STOPPED
    after = ended(store, waiting)
    assert after.status is RunStatus.FINISHED and after.worker.pid != os.getpid()
