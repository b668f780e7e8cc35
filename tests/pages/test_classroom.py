"""A class in the pages: strangers, students and the teacher; whose runs are whose, and what is refused to whom."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.augment.pipelines import PIPELINES
from aquadash.classroom import codes, limits
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import NotAllowedError
from aquadash.lab import Lab
from aquadash.pages import PAGES
from aquadash.people import Person, Role
from aquadash.store import RunStatus, RunStore
from aquadash.ui.kit import admission, explanations, predictions
from tests.support.app_pages import APP, buttons, go_back, metrics, open_app_page, texts, unfold, words
from tests.support.lessons import ANNA, BEN, TEACHER, Lesson, join, look_as
from tests.support.runs import make_run, skilled
from tests.support.search_fakes import FakeEngine


@pytest.mark.parametrize("page", PAGES)
def test_strangers_may_join_and_students_leave(page: str, anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page(page)
    assert "Join the class" not in [title.value for title in app.title]
    assert not app.error, texts(app)
    assert "Anna \\*x\\*" in texts(app) and "action='/class/leave'" in texts(app)
    look_as(monkeypatch, None)
    app = open_app_page(page, run="secret")
    assert [title.value for title in app.title] == ["🐋 Join the class"]
    assert f"/class/join?next=%2F{page}%3Frun%3Dsecret" in texts(app)
    assert not app.button and not app.selectbox and not app.dataframe


def test_without_a_class_nothing_of_it_is_seen(class_pages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AQUADASH_CLASSROOM")
    app = open_app_page("compare")
    assert "/class/leave" not in texts(app) and not app.error
    app = AppTest.from_file(APP, default_timeout=60).run()
    with pytest.raises(ValueError, match="classroom"):
        app.switch_page("pages/classroom.py")


def test_a_locked_page_is_open_to_the_teacher_alone(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    limits.save(ClassLimits(locked_pages=frozenset({"evaluate"})))
    app = open_app_page("evaluate")
    assert app.title[0].value == "🔒 Evaluate" and "locked this page" in texts(app) and not app.selectbox
    assert open_app_page("train").title[0].value != "🔒 Train"
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert open_app_page("evaluate").title[0].value == "🔎 Evaluate"


def test_the_teacher_alone_has_people_limits_and_codes(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = codes.codes()
    for view in ("people", "limits"):
        app = open_app_page("classroom", view=view)
        assert "limits-save" not in buttons(app) and f"remove-{anna.person_id}" not in buttons(app)
        assert "Expected" in texts(app), "the address is refused with a word"
    app = open_app_page("classroom", view="invitation")
    assert codes.spaced(made.student) in texts(app) and "data:image/svg+xml;base64," in texts(app)
    assert made.teacher not in texts(app) and codes.spaced(made.teacher) not in texts(app)
    assert not {"renew-student", "renew-teacher"} & set(buttons(app))

    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    app = open_app_page("classroom", view="invitation")
    app.button(key="renew-student").click().run()
    after = codes.codes()
    assert after.student != made.student and codes.spaced(after.student) in texts(app)


def test_the_teacher_sends_people_out_and_hands_them_back(teacher: Person) -> None:
    ben, token = join("Ben")
    app = open_app_page("classroom", view="people")
    assert "**1 student**" in texts(app) and "Ben" in texts(app)
    assert f"remove-{teacher.person_id}" not in buttons(app)
    app.button(key=f"rejoin-{ben.person_id}").click().run()
    address, code = app.code[0].value.split("?rejoin=")
    assert address.endswith("/class/join") and open_sessions().rejoin(code).person == ben
    app.button(key="rejoin-done").click().run()
    assert not app.code
    app.button(key=f"remove-{ben.person_id}").click().run()
    assert open_sessions().person_of(token) is None
    assert f"remove-{ben.person_id}" not in buttons(app)
    assert app.selectbox(key="people-away").options == ["Ben"] and f"rejoin-{ben.person_id}" in buttons(app)


def test_the_teacher_clears_names_that_made_nothing(store: RunStore, teacher: Person) -> None:
    trained, saved = (join(name)[0] for name in ("Trained", "Saved"))
    make_run(store, "kept", predictions=skilled(0.9, seed=1), owner=trained)
    Lab(saved).pipelines.save(PIPELINES["none"], title="Fog")
    join("Invented 1")
    open_app_page("classroom", view="people").button(key="clear-names").click().run()
    assert {member.person.name for member in open_sessions().people()} == {"Ms Hill", "Trained", "Saved"}


def test_the_teacher_shows_test_results_on_the_board(
    store: RunStore, teacher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    (anna, own), (ben, _) = join("Anna"), join("Ben")
    good = make_run(store, "good", predictions=skilled(0.9, seed=1), owner=anna)
    make_run(store, "poor", predictions=skilled(0.4, seed=3), owner=ben)
    app = open_app_page("classroom", view="board")
    columns = app.dataframe[0].value.columns
    assert "Validation accuracy" in columns and "Test accuracy" not in columns
    app.toggle(key="board:test-results").set_value(True).run()
    assert not limits.in_force().test_results_hidden
    look_as(monkeypatch, own)
    seen = open_app_page("classroom", view="board")
    table = seen.dataframe[0].value
    assert list(table["Student"]) == ["⭐ Anna", "Ben"] and good.run_id in str(table["Evaluate"][0])
    assert "Test accuracy" in table.columns and not seen.toggle


def test_the_queue_shows_places_and_rights(store: RunStore, teacher: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    (anna, token), (ben, _) = join("Anna"), join("Ben")
    first = make_run(store, "a1", status=RunStatus.QUEUED, owner=anna)
    second = make_run(store, "b1", status=RunStatus.QUEUED, owner=ben)
    app = open_app_page("classroom", view="queue")
    assert "0 runs training, 2 waiting" in texts(app)
    assert "1\\. **a1**" in texts(app) and "2\\. **b1**" in texts(app)
    for run in (first, second):
        wanted = {f"{what}-{run.run_id}" for what in ("move-First", "queue-stop", "queue-hide", "queue-delete")}
        assert wanted <= set(buttons(app))
    app.button(key="pause").click().run()
    assert limits.load().paused and "unpause" in buttons(app)
    app.button(key=f"queue-hide-{second.run_id}").click().run()
    assert store.get(second.run_id).hidden
    store.update(make_run(store, "the teacher's", status=RunStatus.RUNNING).run_id, hidden=True)
    assert "1 run training, 2 waiting" in texts(open_app_page("classroom", view="queue"))
    look_as(monkeypatch, token)
    seen = open_app_page("classroom", view="queue")
    assert "b1" not in texts(seen) and "1 run hidden by the teacher also trains" in texts(seen)
    assert f"queue-stop-{first.run_id}" in buttons(seen)
    assert not [key for key in buttons(seen) if key.startswith(("move-", "queue-hide"))]
    store.update(second.run_id, hidden=False)
    seen = open_app_page("classroom", view="queue")
    assert "b1" in texts(seen) and not [key for key in buttons(seen) if second.run_id in key], "it is another's"


def test_a_deleted_waiting_run_waits_again_after_undo(store: RunStore, anna: Person, engine: FakeEngine) -> None:
    own = make_run(store, "a1", status=RunStatus.QUEUED, owner=anna)
    trial = make_run(store, search_id="5" * 32, owner=anna, status=RunStatus.QUEUED)
    app = open_app_page("classroom", view="queue")
    for run, most, status, said in (
        (trial, None, RunStatus.STOPPED, []),  # In its place its search has another.
        (own, 1, RunStatus.QUEUED, []),
        (own, 0, RunStatus.STOPPED, ["lets nobody start a training"]),
    ):
        app.button(key=f"queue-delete-{run.run_id}").click().run()
        assert store.get(run.run_id).deleted
        limits.save(ClassLimits(epochs=None, waiting_runs=most))
        app.button(key=f"undo-{run.run_id}").click().run()
        restored = store.get(run.run_id)
        assert (restored.deleted, restored.status) == (False, status) and "Deleted" not in texts(app)
        assert all(part in texts(app) for part in said) and len(app.error) == len(said)


def test_the_form_of_limits_keeps_what_is_typed_and_follows_what_another_has_changed(teacher: Person) -> None:
    app = open_app_page("classroom", view="limits")
    changed = ClassLimits(epochs=9, waiting_runs=None, searches=True)
    limits.save(changed)
    for view in ("queue", "limits"):
        go_back(app, view=view)
    app.button(key="limits-save").click().run()
    assert limits.load() == changed
    app.number_input(key="limit-epochs").set_value(7)
    app.multiselect(key="limit-locked_pages").set_value(["predict", "compare"])
    limits.save(changed.model_copy(update={"epochs": 8, "waiting_runs": 3}))
    app.button(key="limits-save").click().run()
    kept = limits.load()
    assert (kept.epochs, kept.waiting_runs, kept.searches) == (7, 3, True)
    assert kept.locked_pages == {"predict", "compare"}


def test_the_form_that_a_student_finds_is_within_the_limits(anna: Person) -> None:
    limits.save(ClassLimits(epochs=50))
    app = open_app_page("train")
    epochs = app.number_input(key="set:training.epochs")
    assert "In this class" not in texts(app) and f"Your seed is {Lab(anna).limits.seed}, so" in texts(app)
    assert epochs.value == 50 and not app.button(key="launch").disabled
    epochs.set_value(51).run()
    assert app.button(key="launch").disabled and "In this class a run may have 50 epochs at most" in texts(app)
    app.button(key="fix-class-epochs").click().run()
    assert app.number_input(key="set:training.epochs").value == 50 and not app.button(key="launch").disabled
    unfold(app, "train:advanced").number_input(key="set:seed").set_value(7).run()
    assert "Your seed is" not in texts(app)


def test_students_see_no_way_to_what_only_the_teacher_does(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page("train", view="search")
    assert "search:launch" not in buttons(app) and "launch" in buttons(app)
    app = open_app_page("data", source="cifar100")
    assert "by the teacher" in texts(app) and "download" not in buttons(app)
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert "search:launch" in buttons(open_app_page("train", view="search"))
    assert "download" in buttons(open_app_page("data", source="cifar100"))


def test_uploads_that_are_switched_off_are_said_to_be(anna: Person) -> None:
    places = (("data", {"add": "zip"}), ("data", {"add": "classes"}), ("predict", {}), ("augment", {"from": "own"}))
    limits.save(ClassLimits(upload_megabytes=0))
    for page, address in places:
        app = open_app_page(page, **address)
        fields = app.get("file_uploader")
        assert fields and all(field.disabled for field in fields), page
        assert "switched uploads off" in texts(app), page
    limits.save(ClassLimits(upload_megabytes=1))
    app.run()
    assert "switched uploads off" not in texts(app) and not app.get("file_uploader")[0].disabled


def test_before_the_test_results_are_shown_a_class_compares_by_validation(store: RunStore, anna: Person) -> None:
    run = make_run(store, predictions=skilled(0.6, seed=1), owner=anna)
    assert metrics(open_app_page("home"))["Best run"] == f"{100 * run.metrics['val_accuracy']:.0f} %"
    shown = open_app_page("compare").dataframe[0].proto.column_order
    assert "Validation accuracy" in shown and "Test accuracy" not in shown
    assert "choose runs by validation accuracy" in texts(open_app_page("evaluate", run=run.run_id))
    limits.save(ClassLimits(test_results_hidden=False))
    assert "choose runs by validation accuracy" not in texts(open_app_page("evaluate", run=run.run_id))


def test_a_student_sees_own_runs_below_pins_first_and_whose_the_others_are(store: RunStore, anna: Person) -> None:
    ben, _ = join("Ben")
    own = make_run(store, predictions=skilled(0.6, seed=1), owner=anna)
    other = make_run(store, "his", predictions=skilled(0.7, seed=2), owner=ben)
    store.set_pinned(make_run(store, "the teacher's", status=RunStatus.QUEUED).run_id)
    app = open_app_page("compare", runs=f"{own.run_id},{other.run_id}")
    assert list(app.dataframe[0].value["Name"]) == ["📌 the teacher's", "mine", "his"]
    assert "With **1 picked run**" in texts(unfold(app, "actions")) and "bulk-delete" in buttons(app)
    assert "bulk-delete" not in buttons(unfold(open_app_page("compare", runs=other.run_id), "actions"))
    assert open_app_page("evaluate").selectbox(key="run").value == own.run_id
    assert not any("his" in option for box in open_app_page("predict").selectbox for option in box.options)


Look = Callable[..., AppTest]


@pytest.fixture
def look(in_lesson: None, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Open a page as a person."""

    def opened(person: Person, page: str, **address: str) -> AppTest:
        monkeypatch.setattr(admission, "visitor", lambda: person)
        return open_app_page(page, **address)

    return opened


@pytest.mark.parametrize(("page", "section"), [("predict", {}), ("evaluate", {"section": "home"})])
def test_another_students_network_is_not_opened_or_taken_home(
    look: Look, lesson: Lesson, page: str, section: dict[str, str]
) -> None:
    app = look(BEN, page, run=lesson.finished, **section)
    assert "belongs to Anna" in words(app) and not [key for key in buttons(app) if key.startswith("home")]
    for person, run in ((ANNA, lesson.finished), (TEACHER, lesson.finished), (BEN, lesson.shared)):
        assert "belongs to" not in words(look(person, page, run=run, **section))


def test_another_students_network_is_not_asked(look: Look, lesson: Lesson) -> None:
    look(BEN, "home")
    run = lesson.store.get(lesson.finished)
    with pytest.raises(NotAllowedError, match="belongs to Anna"):
        predictions.predictor(run)
    with pytest.raises(NotAllowedError, match="belongs to Anna"):
        explanations.explained(run, np.zeros((0, 32, 32, 3), np.uint8), None, method="grad-cam")


def test_another_students_pictures_are_not_shown(look: Look, lesson: Lesson) -> None:
    app = look(BEN, "data", source="folder-anna-s-cats")
    assert "another student's pictures" in words(app) and "Anna's cats" not in words(app)
    assert app.selectbox(key="data-set").value == "synthetic"
    assert "folder-anna-s-cats" not in app.selectbox(key="data-set").options
    assert "Anna's cats" in look(ANNA, "data", source="folder-anna-s-cats").selectbox(key="data-set").options
    app = look(BEN, "predict", run=lesson.on_hers, sample="1")
    assert not app.error and "learned from pictures that cannot be shown" in words(app)


def test_another_students_pictures_are_not_put_into_the_form_by_text(look: Look) -> None:
    app = look(BEN, "train")
    app.session_state["train:advanced"] = app.session_state["train:yaml"] = True
    app.run()
    app.text_area(key="train:yaml-pasted").set_value("data: {source: folder-anna-s-cats}")
    app.button(key="use-yaml").click().run()
    (refusal,) = app.error
    assert "another student's pictures" in refusal.value and "The form is as it was." in refusal.value


def test_students_do_not_see_the_import_folder(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "marks of 7b").mkdir()
    monkeypatch.setenv("AQUADASH_IMPORT", str(tmp_path))
    assert look(TEACHER, "data", add="server").selectbox(key="own-server").options == ["marks of 7b"]
    for way in ("zip", "server"):
        app = look(BEN, "data", add=way)
        assert "marks of 7b" not in str(app) and "A folder of this server" not in str(app)
    assert "Expected: zip, classes." in words(app)
