"""No student can stop, change, delete or open what belongs to another: each action tried by a wrong user."""

from functools import partial
from pathlib import Path

import pytest

from aquadash import data
from aquadash.augment import PIPELINES, saved_pipelines
from aquadash.errors import NotAllowedError, RunError, UnknownNameError
from aquadash.export import bundle
from aquadash.lab import Lab
from aquadash.lab.rights import Action, Rights
from aquadash.people import OWNER, STRANGER, Person, Resource
from aquadash.store.types import TrialOf
from tests.support import lessons
from tests.support.faults import let_fail
from tests.support.lessons import ANNA, BEN, TEACHER, Lesson
from tests.support.runs import make_run
from tests.support.search_fakes import plan

pytestmark = pytest.mark.usefixtures("in_lesson")


@pytest.mark.parametrize("person", [BEN, STRANGER], ids=["another student", "a stranger"])
def test_an_action_of_a_wrong_user_is_refused(lesson: Lesson, tmp_path: Path, person: Person) -> None:
    before = lesson.state()
    refusals = lessons.refusals(lesson, tmp_path, person)
    assert {name: reason for name, reason in refusals.items() if reason.startswith("NOT REFUSED")} == {}
    assert lesson.state() == before


def test_a_run_of_ones_own_that_names_anothers_pictures_does_not_open_them(lesson: Lesson) -> None:
    imported = lessons.trained(lesson.store, BEN, "brought in", source="folder-anna-s-cats")
    for start in (Lab(BEN).jobs.measure_robustness, Lab(BEN).runs.repeat):
        with pytest.raises(NotAllowedError, match="can open its pictures"):
            start(imported)


def test_a_zip_s_report_hides_others_pictures(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, hers = (Lab(person).jobs.export_id(lesson.on_hers, include_data=False) for person in (BEN, ANNA))
    assert theirs != hers
    let_fail(monkeypatch, data, "load", AssertionError("The pictures were looked at."))
    written = bundle.export_run(lesson.store, lesson.on_hers, tmp_path / "run.zip", show_images=False)
    assert bundle.DATA not in written.files and "another person's" in "".join(written.notes)


def test_what_is_refused_to_others_is_not_refused_to_its_owner(lesson: Lesson) -> None:
    lab = Lab(ANNA)
    lab.runs.rename(lesson.finished, "Anna's best")
    network, _ = lab.runs.network(lab.runs.get(lesson.finished))
    assert network.is_file()
    assert lab.data.load("folder-anna-s-cats").class_names == ("cat", "dog")
    assert [run.name for run in lab.runs.all(deleted=True)] == ["Anna's worst"]
    lab.pipelines.save(PIPELINES["notebook-1"], title="Anna's fog", replace_name="anna-s-fog")
    assert saved_pipelines.resource_of("anna-s-fog").owner == ANNA.person_id


def test_the_words_of_a_refusal_say_whose_it_is_and_whom_to_ask(lesson: Lesson) -> None:
    lab = Lab(BEN)
    with pytest.raises(NotAllowedError, match="“Anna's best” belongs to Anna.*Only Anna or the teacher can delete"):
        lab.runs.delete(lesson.finished)
    with pytest.raises(NotAllowedError, match="“for all” is for the whole class.*Ask your teacher"):
        lab.runs.delete(lesson.shared)
    for refused in (lambda: lab.data.load("folder-anna-s-cats"), lambda: lab.data.delete("anna-s-cats")):
        with pytest.raises(NotAllowedError, match="another student's pictures. Only its owner or the teacher") as said:
            refused()
        assert "cats" not in str(said.value), "a title may say what is on the pictures"


def test_all_may_look_at_a_run_and_open_what_the_teacher_made(lesson: Lesson) -> None:
    runs = Lab(BEN).runs
    assert runs.get(lesson.finished).owner_name == "Anna"
    assert runs.network(runs.get(lesson.shared))[0].is_file()
    assert {run.name for run in runs.all()} >= {"Anna's best", "for all"}
    assert runs.all(deleted=True) == ()
    for person, listed in ((ANNA, True), (TEACHER, True), (BEN, False)):
        assert ("folder-anna-s-cats" in Lab(person).data.sources()) is listed


def test_a_hidden_run_is_found_by_its_owner_and_the_teacher_alone(lesson: Lesson) -> None:
    hidden = lessons.trained(lesson.store, ANNA, "Anna's hidden one")
    Lab(TEACHER).runs.hide(hidden)
    for person, sees in ((ANNA, True), (TEACHER, True), (OWNER, True), (BEN, False)):
        assert (hidden in {run.run_id for run in Lab(person).runs.all()}) is sees
    runs, jobs = Lab(BEN).runs, Lab(BEN).jobs
    names = "get find history environment predictions validation_predictions evaluation epoch_replay cost log"
    for look in (
        *(partial(getattr(runs, name), hidden) for name in names.split()),
        lambda: jobs.robustness(hidden),
        lambda: runs.reproduction(hidden, lesson.shared),
        lambda: runs.reproduction(lesson.shared, hidden),
        lambda: jobs.write_export(hidden, lesson.home / "tmp" / "hidden.zip"),
    ):
        with pytest.raises(NotAllowedError, match="teacher has hidden this run"):
            look()
    with pytest.raises(UnknownNameError) as unknown:
        runs.find("Anna's hidden")
    assert "Anna's hidden one" not in str(unknown.value), "no message names a hidden run"
    Lab(TEACHER).runs.hide(hidden, False)
    assert Lab(BEN).runs.get(hidden).hidden is False


def test_a_hidden_search_is_not_found_by_others(lesson: Lesson) -> None:
    hidden = lesson.searches.submit(plan(name="Anna's hidden one"), owner=ANNA)
    Lab(TEACHER).searches.hide(hidden)
    searches = Lab(BEN).searches
    assert hidden not in {head.search_id for head in searches.all()}
    for look in (searches.get, searches.find):
        with pytest.raises(NotAllowedError, match="hidden this search"):
            look(hidden)
    assert Lab(ANNA).searches.get(hidden).maker == ANNA


def test_a_trial_is_as_hidden_as_its_search_and_keeps_that_in_the_bin(lesson: Lesson) -> None:
    lab, hers = Lab(TEACHER), Lab(BEN)
    search_id = lesson.searches.submit(plan(name="the teacher's other"))
    run_id = make_run(lesson.store, settings=lessons.SHORT, search_id=search_id, trial=TrialOf(0, {})).run_id
    for hidden in (True, False):
        lab.searches.hide(search_id, hidden)
        assert lesson.store.read(run_id).hidden is hidden
        assert (run_id in {run.run_id for run in hers.runs.all()}) is not hidden
    lab.runs.delete(run_id)
    assert len(hers.searches.get(search_id).trials) == 1, "it was to be seen before"
    lab.searches.hide(search_id)
    lab.runs.restore(run_id)
    assert lesson.store.read(run_id).hidden
    lab.searches.hide(search_id, False)
    lab.runs.delete(run_id)
    lab.runs.restore(run_id)
    assert not lesson.store.read(run_id).hidden
    lab.runs.hide(run_id)
    lab.runs.delete(run_id)
    assert hers.searches.get(search_id).trials == ()
    assert len(lab.searches.get(search_id).trials) == 1


def test_a_students_pin_counts_for_that_student_and_a_teachers_for_all(lesson: Lesson) -> None:
    run_id = lessons.trained(lesson.store, ANNA, "Anna's pinned one")

    def pinned_for() -> list[str]:
        return [one.name for one in (ANNA, BEN, TEACHER, OWNER) if Lab(one).runs.get(run_id).pinned]

    everybody = [ANNA.name, BEN.name, TEACHER.name, OWNER.name]
    for person, pinned, seen_by in (
        (ANNA, True, [ANNA.name]),
        (TEACHER, False, [ANNA.name]),
        (TEACHER, True, everybody),
        (ANNA, True, everybody),
    ):
        Lab(person).runs.pin(run_id, pinned)
        assert pinned_for() == seen_by
    with pytest.raises(RunError, match="only the teacher can unpin it"):
        Lab(ANNA).runs.pin(run_id, False)
    assert pinned_for() == everybody
    Lab(TEACHER).runs.pin(run_id, False)
    assert pinned_for() == [ANNA.name], "a student's own pin is not lost below the teacher's"
    Lab(ANNA).runs.pin(run_id, False)
    assert pinned_for() == []


def test_the_teacher_may_do_everything_a_stranger_nothing_and_a_student_look_at_what_others_made() -> None:
    hers = Resource("run", "Anna's best", ANNA.person_id, "Anna", shared=False, hidden=True)
    for action in Action:
        assert Rights(TEACHER).refusal(action, hers) == Rights(OWNER).refusal(action, hers) == ""
        assert "Join it with the code" in Rights(STRANGER).refusal(action, hers)
    of_others = {action for action in Action if action.value.others}
    assert of_others == {Action.VIEW}, "all that a student may do with what another has made"
    shared = {action.name for action in Action if action.value.shared}
    assert shared == {"VIEW", "OPEN_MODEL", "MEASURE", "OPEN_PICTURES"}
