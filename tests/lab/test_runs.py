"""The lab caches what it reads of runs: a second for runs that change, without end for the others."""

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from aquadash import settings
from aquadash.augment import PIPELINES, saved_pipelines
from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.config import RunConfig
from aquadash.data import ProgressCallback
from aquadash.data.folder import about
from aquadash.data.folder.importing import NewDataSet
from aquadash.data.folder.listing import File
from aquadash.errors import DataError, NotAllowedError, RunError
from aquadash.lab import Lab, memory, runs
from aquadash.people import OWNER, STRANGER
from aquadash.robustness.requests import RobustnessRequest
from aquadash.search.store import open_search_store
from aquadash.store import open_store
from aquadash.store.kinds import KINDS
from aquadash.store.types import EpochRecord, Predictions, Run, RunStatus
from tests.support import job_rows, lessons, robust_runs
from tests.support.lessons import ANNA, BEN, SHORT, SWEEP, TEACHER
from tests.support.own_pictures import of_classes
from tests.support.runs import make_run, skilled
from tests.support.search_fakes import plan, use_engine
from tests.support.weights_files import keras_file

RUNS = Lab(OWNER).runs


class FakeStore:
    """Counts how often it is asked."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.reads: list[str] = []
        #: Called after the runs are read, before they are returned.
        self.after_reading: Callable[[], None] = lambda: None

    def list_runs(self, *, deleted: bool = False) -> list[Run]:
        self.reads.append("runs")
        listed = [] if deleted else [self.run]
        self.after_reading()
        return listed

    def read(self, run_id: str) -> Run:
        self.reads.append("read")
        return self.run

    def history(self, run_id: str) -> list[EpochRecord]:
        self.reads.append("history")
        return [EpochRecord(1, 1.0, 0.5, 1.0, 0.5, 0.01, 2.0)]

    def predictions(self, run_id: str) -> Predictions:
        self.reads.append("predictions")
        return Predictions(np.arange(2), np.array([0, 1]), np.array([[0.9, 0.1], [0.8, 0.2]], dtype=np.float32))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    fake = FakeStore(
        Run("a" * 32, "one", RunStatus.FINISHED, RunConfig(), 1.0, class_names=("otter", "seal"), ended_at=2.0)
    )
    monkeypatch.setattr(runs, "open_store", lambda **_: fake)
    memory.refresh()
    return fake


def test_many_readers_of_a_home_read_once(store: FakeStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for _ in range(10):
        assert RUNS.get("a" * 32) is RUNS.all()[0]
    assert store.reads == ["runs"]
    RUNS.get("b" * 32)
    assert store.reads.pop() == "read", "a run that is not in the list is read alone"
    assert RUNS.all(deleted=True) == ()
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path))
    assert len(RUNS.all()) == 1 and store.reads.count("runs") == 3


def test_an_answer_under_way_at_a_refresh_is_not_reused(store: FakeStore) -> None:
    reading, changed = threading.Event(), threading.Event()

    def wait() -> None:
        reading.set()
        assert changed.wait(30)

    store.after_reading = wait
    with ThreadPoolExecutor(1) as pool:
        earlier = pool.submit(RUNS.all)
        assert reading.wait(30)
        store.run = dataclasses.replace(store.run, name="two")
        memory.refresh()
        store.after_reading = lambda: None
        assert [run.name for run in RUNS.all()] == ["two"]
        changed.set()
        assert [run.name for run in earlier.result()] == ["one"]
    assert [run.name for run in RUNS.all()] == ["two"]


def test_answers_are_kept_as_far_as_they_are_small() -> None:
    computed: list[int] = []

    @memory.kept(10, size=lambda answer: answer)
    def number(value: int) -> int:
        computed.append(value)
        return value

    for value in (4, 5, 4, 11, 11, 3, 4):
        assert number(value) == value
    assert computed == [4, 5, 11, 11, 3], "the least recently used result goes first, one that is too large is not kept"


def test_waiting_for_a_run_serves_the_queue(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    states = [RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.QUEUED, RunStatus.FINISHED]
    served: list[RunStatus] = []

    def next_look(seconds: float = 0.0) -> None:
        store.run = dataclasses.replace(store.run, status=states.pop(0))
        memory.refresh()

    monkeypatch.setattr(runs, "time", SimpleNamespace(sleep=next_look))
    use_engine(monkeypatch, SimpleNamespace(serve=lambda: served.append(store.run.status)))
    next_look()
    assert RUNS.wait("a" * 32).status is RunStatus.FINISHED
    assert served == [RunStatus.QUEUED], "once, and not while the run trains"


def test_what_has_ended_is_read_once(store: FakeStore) -> None:
    for _ in range(3):
        assert len(RUNS.history("a" * 32)) == 1
        assert RUNS.evaluation("a" * 32).accuracy == 0.5
        memory.refresh()
    with pytest.raises(ValueError, match="read-only"):
        RUNS.evaluation("a" * 32).confusion_matrix[0, 0] = 5
    assert store.reads.count("history") == 1
    assert store.reads.count("predictions") == 1
    store.run = dataclasses.replace(store.run, ended_at=3.0)
    memory.refresh()
    RUNS.history("a" * 32)
    assert store.reads.count("history") == 2, "a run that was resumed and ended again is read again"
    store.run = dataclasses.replace(store.run, status=RunStatus.INTERRUPTED, ended_at=None)
    memory.refresh()
    assert RUNS.evaluation("a" * 32).n == 2, "an interrupted run may have no end time"
    store.run = dataclasses.replace(store.run, status=RunStatus.RUNNING)
    memory.refresh()
    with pytest.raises(RunError, match="has not ended yet"):
        RUNS.evaluation("a" * 32)
    for number in (3, 4):
        memory.refresh()
        assert RUNS.history("a" * 32) == RUNS.history("a" * 32) and store.reads.count("history") == number


def test_what_was_missing_or_damaged_of_a_run_and_is_put_back_is_found(tmp_path: Path) -> None:
    store = open_store()
    run = make_run(store, "one", predictions=skilled(0.9, seed=1), owner=ANNA)
    store.add_artifact(run.run_id, keras_file(tmp_path / "model.keras", 2000))
    figures = robust_runs.of_model(store, run, robust_runs.made_up_result(fingerprint=run.dataset_fingerprint))
    store.add_robustness(run.run_id, figures.to_json())
    files = settings.run_folder(run.run_id)

    def found() -> list[object]:
        board, is_measured = RUNS.board("synthetic"), Lab(OWNER).jobs.robustness(run.run_id) is not None
        return [RUNS.cost(run.run_id).parameters, len(board.entries), is_measured, RUNS.temperature(run) != 1.0]

    validation = files / "validation_predictions.npz"
    sound = validation.read_bytes()
    validation.write_bytes(b"damaged")
    assert RUNS.temperature(run) == 1.0
    validation.write_bytes(sound)
    away = files.rename(files.with_name("away"))
    assert found() == [None, 0, False, False]
    away.rename(files)
    assert found() == [2000, 1, True, True]
    files.rename(away)
    assert found() == [2000, 1, True, True], "found results stay cached"


def test_what_a_student_makes_is_theirs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.start_no_process(monkeypatch)
    limits.save(ClassLimits(searches=True, waiting_runs=None))
    store, lab = open_store(), Lab(ANNA)
    done = store.get(lessons.trained(store, ANNA, "Anna's best"))

    lab.runs.train(SHORT)
    lab.runs.train_pair(SHORT, "notebook-1")
    lab.runs.repeat(done.run_id)
    assert [run.owner for run in store.list_runs()] == 5 * [ANNA.person_id]
    lab.searches.start(plan())
    assert [head.maker for head in open_search_store().heads()] == [ANNA]
    saved = lab.pipelines.save(PIPELINES["notebook-1"], title="Fog")
    assert saved_pipelines.resource_of(saved.name).owner == ANNA.person_id
    kept = lab.data.keep(read_pets(lab), title="Cats")
    assert about.about(kept.name).owner == ANNA.person_id

    lab.jobs.measure_robustness(done.run_id)
    lab.jobs.measure_robustness(done.run_id, SWEEP)
    lab.jobs.export(done.run_id, include_data=True)
    lab.jobs.import_run("an upload", called="run.zip", write=lambda path: path.write_bytes(b"a run"))
    jobs = [job for kind in KINDS for job in store.jobs.find(kind=kind)]
    assert {job.kind for job in jobs} == KINDS.keys(), "every kind of work is asked for above"
    assert {job.owner for job in jobs} == {ANNA.person_id}
    assert all(Lab(OWNER).jobs.may_stop(job) and lab.jobs.may_stop(job) for job in jobs)
    of_the_machine = replace(jobs[0], owner="", run=32 * "0", request={})
    assert not any(Lab(person).jobs.may_stop(of_the_machine) for person in (STRANGER, ANNA))


def read_pets(lab: Lab) -> NewDataSet:
    """Let a student import pictures without keeping them yet."""
    files = [
        File(tuple(name.split("/")), lambda content=content: content)  # type: ignore[misc]
        for name, content in of_classes({"cat": 12, "dog": 12}).items()
    ]
    return lab.data.read(files, origin="cats", size=32)


def test_a_student_has_one_import_at_a_time(home: Path) -> None:
    first, others, latest = read_pets(Lab(ANNA)), read_pets(Lab(BEN)), read_pets(Lab(ANNA))
    with pytest.raises(DataError, match="not there any more"):
        Lab(ANNA).data.keep(first, title="First")
    assert Lab(ANNA).data.keep(latest, title="Latest") and Lab(BEN).data.keep(others, title="Others")


def test_the_reading_of_pictures_ends_after_some_minutes(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aquadash.lab.data.MAX_SECONDS", 0.0)
    with pytest.raises(NotAllowedError, match="keeps others of the class waiting"):
        read_pets(Lab(ANNA))
    assert list((home / "datasets").iterdir()) == []
    read_pets(Lab(OWNER))


def test_only_two_imports_are_read_at_the_same_time(home: Path) -> None:
    class Left(Exception):
        pass

    def leave(text: str, fraction: float | None) -> None:
        assert text == "Waiting for other imports"
        raise Left

    begun, may_end = threading.Semaphore(0), threading.Event()

    def stay(text: str, fraction: float | None) -> None:
        begun.release()
        assert may_end.wait(30)

    def read(progress: ProgressCallback) -> NewDataSet:
        return Lab(OWNER).data.read(home, origin="a", size=32, progress=progress)

    with ThreadPoolExecutor(2) as pool:
        others = [pool.submit(read, stay) for _ in range(2)]
        assert begun.acquire(timeout=30) and begun.acquire(timeout=30)
        with pytest.raises(Left):
            read(leave)
        may_end.set()
    assert all(isinstance(other.exception(), DataError) for other in others), "there are no pictures in this folder"


def test_a_student_replaces_nobodys_robustness_figures(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job_rows.start_no_process(monkeypatch)
    store = open_store()
    run = store.get(lessons.trained(store, TEACHER, "for all"))
    robust_runs.add_result(store, run, robust_runs.made_up_result(fingerprint="f" * 64, cells=10))
    with pytest.raises(NotAllowedError, match="is measured already"):
        Lab(ANNA).jobs.measure_robustness(run.run_id, RobustnessRequest(seed=1))
    assert Lab(ANNA).jobs.measure_robustness(run.run_id).owner == ANNA.person_id, "continuing replaces no figures"
