"""Slots and the engine: the order in which jobs are claimed, and what becomes of them, their workers and leftovers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from aquadash import settings
from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.config import RunConfig, with_values
from aquadash.errors import NotAllowedError, RunError, UnknownNameError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.store import Job, Run, RunStatus, RunStore
from aquadash.store.runs import KIND
from aquadash.work import slots
from aquadash.work.queue import Engine
from aquadash.work.slots import Slots, carry_out
from aquadash.work.standby import STANDBY
from tests.support.job_rows import carry_out_by, claim, launch_by, let_time_pass, start_no_process
from tests.support.lessons import ANNA, BEN, SHORT, TEACHER
from tests.support.live_runs import job_of
from tests.support.own_pictures import imported, in_folder, of_classes
from tests.support.runs import without_seconds
from tests.support.tiny_networks import QUICK, assigned
from tests.support.waiting import wait_for


@pytest.fixture
def run_id(store: RunStore) -> str:
    """A run that waits."""
    return store.submit(RunConfig()).run_id


def test_a_worker_that_cannot_start_is_not_tried_for_ever(
    store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "no processes left")

    launch_by(monkeypatch, SimpleNamespace(launch=refuse))
    for status in (RunStatus.QUEUED, RunStatus.QUEUED, RunStatus.FAILED):
        carry_out(store.jobs, claim(KIND))
        run = store.get(run_id)
        assert run.status is status and "No worker could be started (no processes left)" in run.message


def test_a_worker_that_has_not_begun_keeps_its_lease(
    store: RunStore, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that stands by may load TensorFlow for longer than a lease."""
    monkeypatch.setattr(slots, "RENEW_SECONDS", 0.0)
    looks: list[Job] = []

    def wait(timeout: float) -> int | None:
        # A lease that was not renewed would have expired at the second look.
        let_time_pass(job_of(run_id), 15.0)
        looks.append(job_of(run_id))
        return 0 if len(looks) == 4 else None

    starting = SimpleNamespace(pid=None, wait=wait)
    launch_by(monkeypatch, SimpleNamespace(launch=lambda *_, **__: starting))
    carry_out(store.jobs, claim(KIND))
    assert {(job.status, job.attempt, job.message) for job in looks} == {(RunStatus.RUNNING, 1, "")}


def queue_runs(store: RunStore, names: str) -> list[Run]:
    """Queue runs of the owner of the machine, and claim the first."""
    runs = [store.submit(SHORT, name=name) for name in names]
    assert claim(KIND).run == runs[0].run_id
    return runs


def test_a_run_that_was_moved_starts_at_its_new_place(store: RunStore) -> None:
    a, b, c, d, e = runs = queue_runs(store, "abcde")
    move = Lab(OWNER).runs.move
    assert move(d.run_id, 1) == [run.run_id for run in (d, b, c, e)]
    assert move(e.run_id, 1) == [run.run_id for run in (e, d, b, c)]
    assert move(b.run_id, 99)[-1] == b.run_id
    with pytest.raises(RunError, match="a does not wait: it is running"):
        move(a.run_id, 1)
    with pytest.raises(RunError, match="expected 1 for the run that starts next"):
        move(b.run_id, 0)
    assert [store.ranks().get(run.run_id) for run in runs] == [None, 4, 3, 2, 1]
    store.request_stop(d.run_id)
    started = [store.get(claim(KIND).run).name for _ in store.ranks()]
    assert started == ["e", "c", "b"], "the runs after a stopped one move up"


def test_the_queue_waits_while_it_is_held(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    started: list[str] = []
    carry_out_by(monkeypatch, lambda jobs, job, **_: started.append(job.run))
    served = Slots(lambda: store.jobs)
    b = queue_runs(store, "ab")[1].run_id
    limits.save(ClassLimits(paused=True))
    c = store.submit(SHORT, owner=ANNA).run_id
    Lab(OWNER).runs.move(c, 1)
    assert [(one.rank, one.seconds) for one in Lab(OWNER).runs.waiting().values()] == [(1, None), (2, None)]
    monkeypatch.setenv("AQUADASH_SLOTS", "3")
    served.look()
    assert list(store.ranks()) == [c, b] and started == []
    limits.save(ClassLimits())
    served.look()
    assert store.ranks() == {}
    wait_for(lambda: sorted(started) == sorted((b, c)))


def test_no_student_exceeds_the_limit(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    start_no_process(monkeypatch)
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    Lab(TEACHER).people.set_limits(ClassLimits(waiting_runs=2))
    anna, ben = Lab(ANNA).runs, Lab(BEN).runs
    second = [anna.train(SHORT) for _ in range(2)][1].run_id
    ben.train(SHORT)
    with pytest.raises(NotAllowedError, match="You have 2 runs waiting; at most 2 may wait"):
        anna.train(SHORT)
    with pytest.raises(NotAllowedError, match="1 run waiting, and this would add 2"):
        ben.train_pair(SHORT, "notebook-1")
    assert len(store.list_runs()) == 3
    anna.stop(second)
    anna.train(SHORT)
    with pytest.raises(NotAllowedError, match="2 runs waiting"):
        anna.resume(second)
    assert store.get(second).status is RunStatus.STOPPED
    Lab(TEACHER).runs.resume(second)
    assert (store.get(second).owner, job_of(second).owner) == (ANNA.person_id, ANNA.person_id), "it stays hers"


_SERVING = """
import sys, time
from aquadash import settings
from aquadash.config import RunConfig
from aquadash.lab import OWNER, Lab
from aquadash.work.queue import open_engine
lab = Lab(OWNER)
open_engine().serve()
run = lab.runs.train(RunConfig())
lab.runs.stop(run.run_id)
lab.runs.wait(run.run_id)
lab.searches.all()
print(sorted({"dask", "distributed", "mlflow", "alembic", "optuna"} & set(sys.modules)))
"""


def test_a_training_on_this_computer_imports_neither_dask_nor_mlflow(quick_training: None, home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SERVING], cwd=settings.PROJECT_ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


# -- the engine -------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(store: RunStore) -> Iterator[Engine]:
    with Engine(store) as engine:
        yield engine


def test_old_leftovers_of_processes_go_away(store: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start_no_process(monkeypatch)
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
    job = job_of(run_id)
    assert (job.attempt, job.worker_failures, job.message) == (2, 0, "")

    # From another process than the two before: forks of one inherit the same random numbers.
    STANDBY.close()
    whole = ended(engine.submit(config).run_id)
    assert whole.status is RunStatus.FINISHED
    assert resumed == without_seconds(store.history(whole.run_id))
    assert np.array_equal(store.predictions(run_id).probabilities, store.predictions(whole.run_id).probabilities)
    with pytest.raises(RunError, match="only a stopped, failed or interrupted"):
        engine.resume(run_id)
