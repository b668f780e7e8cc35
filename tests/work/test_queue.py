"""The engine: leftovers that it removes, settings that it refuses, and a run whose worker process is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aquadash import settings
from aquadash.config import with_values
from aquadash.errors import RunError, UnknownNameError
from aquadash.store import Run, RunStatus, RunStore
from aquadash.work.queue import Engine
from aquadash.work.standby import Standby
from tests.support import job_rows, live_runs
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import without_seconds
from tests.support.tiny_networks import QUICK
from tests.support.waiting import wait_for


@pytest.fixture
def engine(store: RunStore) -> Iterator[Engine]:
    with Engine(store) as engine:
        yield engine


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

    def held() -> Run | None:
        run = store.get(run_id)
        progress = run.progress
        return run if progress and progress.epoch == 3 and 0 < progress.batch < progress.batches else None

    def ended(run_id: str) -> Run:
        return wait_for(lambda: (run := store.get(run_id)).status.ended and run, saying=lambda: store.get(run_id))

    run = wait_for(held, saying=lambda: store.get(run_id))
    monkeypatch.delenv("HELD")
    os.kill(run.worker.pid, signal.SIGKILL)
    lost = wait_for(lambda: run if (run := store.get(run_id)).message else None, saying=lambda: store.get(run_id))
    assert lost.status in (RunStatus.QUEUED, RunStatus.RUNNING)
    assert "was lost (signal SIGKILL; its log is " in lost.message
    assert lost.message.endswith("; the next one goes on from what is complete.")
    kept = without_seconds(store.history(run_id))
    assert [record.epoch for record in kept] == [1, 2]

    assert ended(run_id).status is RunStatus.FINISHED
    resumed = without_seconds(store.history(run_id))
    assert resumed[:2] == kept and "resuming after epoch 2" in store.log(run_id)
    job = live_runs.job_of(run_id)
    assert (job.attempt, job.worker_failures, job.message) == (2, 0, "")

    # From another process than the two before: forks of one inherit the same random numbers.
    holding.close()
    whole = ended(engine.submit(config).run_id)
    assert whole.status is RunStatus.FINISHED
    assert resumed == without_seconds(store.history(whole.run_id))
    assert np.array_equal(store.predictions(run_id).probabilities, store.predictions(whole.run_id).probabilities)
    with pytest.raises(RunError, match="only a stopped, failed or interrupted"):
        engine.resume(run_id)
