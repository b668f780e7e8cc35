"""The engine: leftovers that it removes, settings that it refuses, and a run whose worker process is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aquadash.config import with_values
from aquadash.errors import RunError, UnknownNameError
from aquadash.store import Run, RunStatus, RunStore
from aquadash.work.queue import Engine
from aquadash.work.standby import STANDBY
from tests.support import job_rows, live_runs
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import without_seconds
from tests.support.tiny_networks import QUICK, assigned
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


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_whose_worker_is_killed_goes_on_by_itself_to_the_same_end(
    store: RunStore, engine: Engine, tmp_path: Path
) -> None:
    pictures = in_folder(tmp_path / "mine", of_classes({name: 20 for name in ("cat", "dog", "eel")}))
    source = imported(pictures).keep("Mine").source
    config = assigned(f"data.source={source} training.epochs=200 training.batch_size=8 training.patience=0", base=QUICK)
    run_id = engine.submit(config).run_id

    def ended(run_id: str) -> Run:
        return wait_for(lambda: (run := store.get(run_id)).status.ended and run, saying=lambda: store.get(run_id))

    wait_for(lambda: len(store.history(run_id)) > 2, saying=lambda: store.get(run_id), every=0.02)
    os.kill(store.get(run_id).worker.pid, signal.SIGKILL)
    lost = wait_for(lambda: run if (run := store.get(run_id)).message else None, saying=lambda: store.get(run_id))
    assert lost.status in (RunStatus.QUEUED, RunStatus.RUNNING)
    assert "was lost (signal SIGKILL; its log is " in lost.message
    assert lost.message.endswith("; the next one goes on from what is complete.")
    kept = without_seconds(store.history(run_id))
    assert 2 < len(kept) < 200

    assert ended(run_id).status is RunStatus.FINISHED
    resumed = without_seconds(store.history(run_id))
    assert resumed[: len(kept)] == kept and "resuming after epoch" in store.log(run_id)
    job = live_runs.job_of(run_id)
    assert (job.attempt, job.worker_failures, job.message) == (2, 0, "")

    # From another process than the two before: forks of one inherit the same random numbers.
    STANDBY.close()
    whole = ended(engine.submit(config).run_id)
    assert whole.status is RunStatus.FINISHED
    assert resumed == without_seconds(store.history(whole.run_id))
    assert np.array_equal(store.predictions(run_id).probabilities, store.predictions(whole.run_id).probabilities)
    with pytest.raises(RunError, match="only a stopped, failed or interrupted"):
        engine.resume(run_id)
