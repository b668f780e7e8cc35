"""Whatever a student makes by the lab is theirs; made in nobody's name it would be the machine owner's, and for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Semaphore

import pytest

from aquadash.augment import PIPELINES, saved_pipelines
from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.data.folder import about
from aquadash.data.folder.importing import NewDataSet
from aquadash.data.folder.listing import File
from aquadash.errors import DataError, NotAllowedError
from aquadash.lab import Lab
from aquadash.people import OWNER, STRANGER
from aquadash.robustness.requests import RobustnessRequest
from aquadash.search.store import open_search_store
from aquadash.store import open_store
from aquadash.store.kinds import KINDS
from aquadash.work.queue import Engine
from tests import job_rows, lessons, robust_runs
from tests.lessons import ANNA, BEN, SHORT, SWEEP, TEACHER
from tests.own_pictures import of_classes
from tests.search_fakes import plan


def test_what_a_student_makes_is_theirs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "serve", lambda self: None)
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
    """What a student has read of dropped pictures."""
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
    monkeypatch.setattr("aquadash.lab.data._MAX_SECONDS", 0.0)
    with pytest.raises(NotAllowedError, match="keeps others of the class waiting"):
        read_pets(Lab(ANNA))
    assert list((home / "datasets").iterdir()) == []
    read_pets(Lab(OWNER))


def test_only_some_imports_are_read_at_the_same_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Left(Exception):
        pass

    def leave(text: str, fraction: float | None) -> None:
        assert text == "Waiting for other imports"
        raise Left

    monkeypatch.setattr("aquadash.lab.data._reading", Semaphore(0))
    with pytest.raises(Left):
        Lab(OWNER).data.read(home, origin="a", size=32, progress=leave)


def test_a_student_replaces_nobodys_robustness_figures(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "serve", lambda self: None)
    store = open_store()
    run = store.get(lessons.trained(store, TEACHER, "for all"))
    robust_runs.add_result(store, run, robust_runs.made_up_result(fingerprint="f" * 64, cells=10))
    with pytest.raises(NotAllowedError, match="is measured already"):
        Lab(ANNA).jobs.measure_robustness(run.run_id, RobustnessRequest(seed=1))
    assert Lab(ANNA).jobs.measure_robustness(run.run_id).owner == ANNA.person_id, "to go on is no harm"
