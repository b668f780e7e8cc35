"""Whatever a student makes by the lab is theirs; made in nobody's name it would be the machine owner's, and for all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from aquadash.augment import PIPELINES, saved_pipelines
from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.data.folder import about, drafts
from aquadash.data.folder.drafts import Request, SplitChoice
from aquadash.engine import Engine
from aquadash.errors import DataError, NotAllowedError
from aquadash.export.convert import FORMATS, Format
from aquadash.jobs.kinds import KINDS
from aquadash.lab import Lab
from aquadash.people import OWNER, STRANGER, Person
from aquadash.robustness.label_safety import SafetyRequest
from aquadash.robustness.measure import RobustnessRequest
from aquadash.runs import open_store
from aquadash.search.store import open_search_store
from tests import job_rows, lessons, robust_runs
from tests.lessons import ANNA, BEN, BRANCH, SHORT, SUBJECTS, TEACHER
from tests.own_pictures import in_archive, of_classes
from tests.search_fakes import plan


def test_what_a_student_makes_is_theirs(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "serve", lambda self: None)
    monkeypatch.setattr(Format, "missing", lambda self: [])
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
    archive = in_archive(tmp_path / "cats.zip", of_classes({"cat": 12, "dog": 12})).read_bytes()
    draft = lab.data.begin(Request("", "cats.zip", 32), write=lambda path: path.write_bytes(archive))
    draft = lab.data.begin_again(draft)
    lab.data.read(draft)
    drafts.read(draft)
    kept = lab.data.keep(lab.data.draft(draft), SplitChoice(), title="Cats")
    assert about.about(kept.name).owner == ANNA.person_id

    lab.jobs.measure_robustness(done.run_id)
    lab.jobs.measure_label_safety(done, SUBJECTS, SafetyRequest(BRANCH))
    for form in FORMATS.values():
        lab.jobs.convert(done.run_id, form)
    lab.jobs.export(done.run_id, include_data=True)
    lab.jobs.import_run("an upload", called="run.zip", write=lambda path: path.write_bytes(b"a run"))
    jobs = store.jobs.changes(0).jobs
    assert {job.kind for job in jobs} == KINDS.keys(), "every kind of work is asked for above"
    assert {job.owner for job in jobs} == {ANNA.person_id}
    assert all(Lab(OWNER).jobs.may_stop(job) and lab.jobs.may_stop(job) for job in jobs)
    of_the_machine = replace(jobs[0], owner="", run=32 * "0", request={})
    assert not any(Lab(person).jobs.may_stop(of_the_machine) for person in (STRANGER, ANNA))


def test_a_student_has_no_more_than_two_imports_under_way(home: Path, tmp_path: Path) -> None:
    archive = in_archive(tmp_path / "cats.zip", of_classes({"cat": 12, "dog": 12})).read_bytes()

    def begin(person: Person) -> str:
        return Lab(person).data.begin(Request("", "cats.zip", 32), write=lambda path: path.write_bytes(archive))

    first, other = begin(ANNA), begin(BEN)
    os.utime(next(home.rglob(first)), (1, 1))
    latest = [begin(ANNA), begin(ANNA)]
    with pytest.raises(DataError, match="not there any more"):
        Lab(ANNA).data.is_read(first)
    assert [Lab(ANNA).data.is_read(draft) for draft in latest] == [False, False]
    assert Lab(BEN).data.is_read(other) is False


def test_a_student_replaces_nobodys_robustness_figures(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "serve", lambda self: None)
    store = open_store()
    run = store.get(lessons.trained(store, TEACHER, "for all"))
    robust_runs.add_result(store, run, robust_runs.made_up_result(fingerprint="f" * 64, cells=10))
    with pytest.raises(NotAllowedError, match="is measured already"):
        Lab(ANNA).jobs.measure_robustness(run.run_id, RobustnessRequest(seed=1))
    assert Lab(ANNA).jobs.measure_robustness(run.run_id).owner == ANNA.person_id, "to go on is no harm"
