"""Slots: the order in which jobs are claimed, and what becomes of them and their workers, which are stand-ins."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from aquadash import settings
from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.config import RunConfig
from aquadash.errors import NotAllowedError, RunError
from aquadash.lab import Lab
from aquadash.people import OWNER
from aquadash.store import Job, Run, RunStatus, RunStore
from aquadash.store.runs import KIND
from aquadash.work import slots
from aquadash.work.slots import Slots, carry_out
from tests.support.job_rows import carry_out_by, claim, launch_by, let_time_pass, start_no_process
from tests.support.lessons import ANNA, BEN, SHORT, TEACHER
from tests.support.live_runs import job_of
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
