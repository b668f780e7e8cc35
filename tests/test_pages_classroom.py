"""The class in the pages: strangers, students and the teacher."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash import people
from aquadash.classroom import codes, limits, projector, revealed
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import UnknownNameError
from aquadash.people import Person, Role
from aquadash.runs import open_store
from aquadash.search.store import open_search_store
from aquadash.ui import cache, warmup
from aquadash.ui.classroom import admission
from aquadash.ui.classroom import projector as projector_window
from aquadash.ui.classroom.admission import Admission
from tests.app_pages import APP, address_of, open_app_page
from tests.classrooms import give, join, look_as, open_class
from tests.compared_runs import add_compared
from tests.search_fakes import plan
from tests.stored_runs import without_engine
from tests.ui_runs import queued

PAGES = ("home", "data", "augment", "train", "evaluate", "predict", "compare", "walkthrough", "classroom")


@pytest.fixture(autouse=True)
def a_class(warm_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    without_engine(monkeypatch)
    open_class(monkeypatch)
    yield
    # What a page has begun must not go on in the next test's home.
    warmup.start()
    warmup.wait_for_store()


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch) -> Person:
    """A student who looks at pages."""
    person, token = join("Anna *x*")
    look_as(monkeypatch, token)
    return person


@pytest.fixture
def teacher(monkeypatch: pytest.MonkeyPatch) -> Person:
    """A teacher who looks at pages."""
    person, token = join("Ms Hill", Role.TEACHER)
    look_as(monkeypatch, token)
    return person


def texts(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.info, app.error, app.warning, app.subheader)
    return "\n".join(str(entry.value) for kind in kinds for entry in kind) + "".join(
        str(entry.proto.body) for entry in app.get("html")
    )


def buttons(app: AppTest) -> list[str]:
    return [button.key or "" for button in app.button]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("token", [None, "forged"])
def test_a_stranger_sees_the_way_to_join_on_every_page_and_nothing_else(
    page: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_as(monkeypatch, token)
    app = open_app_page(page, run="secret")
    assert [title.value for title in app.title] == ["🐋 Join the class"]
    assert f"/class/join?next=%2F{page}%3Frun%3Dsecret" in texts(app)
    assert not app.button and not app.selectbox and not app.dataframe


@pytest.mark.parametrize("page", PAGES)
def test_a_student_sees_every_page_with_their_name_and_the_way_out(page: str, anna: Person) -> None:
    app = open_app_page(page)
    assert "Join the class" not in [title.value for title in app.title]
    assert not app.error, texts(app)
    assert "Anna \\*x\\*" in texts(app) and "class-leave" in buttons(app)
    assert "class-show" not in buttons(app), "students lead no projector"


def test_without_a_class_nothing_of_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AQUADASH_CLASSROOM")
    app = open_app_page("compare")
    assert "class-leave" not in buttons(app) and not app.error
    app = AppTest.from_file(APP, default_timeout=60).run()
    with pytest.raises(ValueError, match="classroom"):
        app.switch_page("pages/classroom.py")


def test_who_leaves_is_a_stranger_at_once(anna: Person) -> None:
    app = open_app_page("data")
    app.button(key="class-leave").click().run()
    assert [title.value for title in app.title] == ["🐋 Join the class"]
    assert open_sessions().people()[0].sessions == 0


def test_who_is_sent_out_is_a_stranger_at_the_next_click(anna: Person) -> None:
    app = open_app_page("data")
    open_sessions().remove(anna.person_id)
    app.run()
    assert [title.value for title in app.title] == ["🐋 Join the class"]


def test_a_locked_page_is_closed_to_students_and_open_to_the_teacher(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits.save(ClassLimits(locked_pages=frozenset({"evaluate"})))
    app = open_app_page("evaluate")
    assert app.title[0].value == "🔒 Evaluate"
    assert "locked this page" in texts(app) and not app.selectbox
    assert open_app_page("train").title[0].value != "🔒 Train"
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert open_app_page("evaluate").title[0].value == "🔎 Evaluate"


def test_students_have_no_views_of_the_teacher(anna: Person) -> None:
    made = codes.codes()
    for view in ("people", "limits", "screen"):
        app = open_app_page("classroom", view=view)
        assert "limits-save" not in buttons(app) and f"remove-{anna.person_id}" not in buttons(app)
        assert "Expected" in texts(app), "the address is refused with a word"
    app = open_app_page("classroom", view="invitation")
    assert codes.spaced(made.student) in texts(app)
    assert made.teacher not in texts(app) and codes.spaced(made.teacher) not in texts(app)
    assert not {"renew-student", "renew-teacher", "invitation-show"} & set(buttons(app))


def test_the_teacher_shows_and_renews_the_code(teacher: Person) -> None:
    before = codes.codes()
    app = open_app_page("classroom", view="invitation")
    assert codes.spaced(before.student) in texts(app) and "data:image/svg+xml;base64," in texts(app)
    app.button(key="renew-student").click().run()
    after = codes.codes()
    assert after.student != before.student and after.teacher == before.teacher
    assert codes.spaced(after.student) in texts(app)


def test_the_teacher_sends_people_out_and_hands_them_back(teacher: Person) -> None:
    ben, token = join("Ben")
    app = open_app_page("classroom", view="people")
    assert "**1 student**" in texts(app) and "Ben" in texts(app)
    assert f"remove-{teacher.person_id}" not in buttons(app)
    app.button(key=f"return-{ben.person_id}").click().run()
    code = app.code[0].value
    assert open_sessions().returning("Ben", code)
    app.button(key="return-done").click().run()
    assert not app.code
    app.button(key=f"remove-{ben.person_id}").click().run()
    assert open_sessions().person_of(token) is None
    assert f"remove-{ben.person_id}" not in buttons(app)


def test_the_board_ranks_by_validation_until_the_teacher_shows_the_test(
    teacher: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    anna, own = join("Anna")
    ben, _ = join("Ben")
    good = give(store, add_compared(store, "good", skill=0.9, seed=1), anna)
    assert "**Anna** is on the board; nobody else yet" in texts(open_app_page("classroom"))
    give(store, add_compared(store, "weaker", skill=0.5, seed=2), anna)
    give(store, add_compared(store, "poor", skill=0.4, seed=3), ben)
    add_compared(store, "the owner's", skill=0.99, seed=4)
    app = open_app_page("classroom")
    table = app.dataframe[0].value
    assert list(table["Student"]) == ["Anna", "Ben"] and list(table["Place"]) == [1, 2]
    assert list(table["Run"]) == ["good", "poor"] and list(table["Runs"]) == [2, 1]
    assert "Validation accuracy" in table.columns and "Test accuracy" not in table.columns
    assert "Anna is first" in texts(app)
    app.button(key="reveal").click().run()
    assert revealed.revealed_at("synthetic") is not None
    assert "Test accuracy" in app.dataframe[0].value.columns
    look_as(monkeypatch, own)
    seen = open_app_page("classroom")
    assert list(seen.dataframe[0].value["Student"]) == ["⭐ Anna", "Ben"]
    assert not {"reveal", "cover"} & set(buttons(seen))
    assert good.run_id in str(seen.dataframe[0].value["Look"][0])


def test_the_queue_shows_places_and_each_what_they_may_do(teacher: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    anna, token = join("Anna")
    ben, _ = join("Ben")
    first, second = (give(store, queued(store, name), person) for name, person in (("a1", anna), ("b1", ben)))
    warmup.start()
    warmup.wait_for_store()
    app = open_app_page("classroom", view="queue")
    assert "0 runs training, 2 waiting" in texts(app)
    assert "1\\. **a1**" in texts(app) and "2\\. **b1**" in texts(app)
    for run in (first, second):
        wanted = {f"{what}-{run.run_id}" for what in ("move-First", "queue-stop", "queue-hide", "queue-delete")}
        assert wanted <= set(buttons(app))
    app.button(key=f"queue-hide-{second.run_id}").click().run()
    assert store.get(second.run_id).hidden
    look_as(monkeypatch, token)
    seen = open_app_page("classroom", view="queue")
    assert "b1" not in texts(seen), "hidden"
    assert f"queue-stop-{first.run_id}" in buttons(seen)
    assert not [key for key in buttons(seen) if key.startswith(("move-", "queue-hide"))]


def test_limits_are_set_in_a_form_and_hold(teacher: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    class Engine:
        followed = 0

        def follow_limits(self) -> None:
            self.followed += 1

    engine = Engine()
    monkeypatch.setattr(cache, "engine", lambda: engine)
    app = open_app_page("classroom", view="limits")
    app.number_input(key="limit-epochs").set_value(7)
    app.number_input(key="limit-waiting_runs").set_value(None)
    app.multiselect(key="limit-locked_pages").set_value(["predict", "compare"])
    app.button(key="limits-save").click().run()
    kept = limits.load()
    assert (kept.epochs, kept.waiting_runs, kept.locked_pages) == (7, None, frozenset({"predict", "compare"}))
    app.button(key="pause").click().run()
    assert limits.load().paused and "unpause" in buttons(app) and engine.followed == 2


def test_the_form_that_a_student_finds_is_within_the_limits(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    limits.save(ClassLimits(epochs=50))
    app = open_app_page("train")
    epochs = app.number_input(key="set:training.epochs")
    assert epochs.value == 50 and not app.button(key="launch").disabled
    assert "for at most 50 epochs; the preset has 200" in texts(app) and "Changed" not in texts(app)
    epochs.set_value(51).run()
    assert app.button(key="launch").disabled and "51 epochs; in this class a run may have 50" in texts(app)
    app.button(key="fix-class-epochs").click().run()
    assert app.number_input(key="set:training.epochs").value == 50 and not app.button(key="launch").disabled
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert open_app_page("train").number_input(key="set:training.epochs").value == 200


def test_students_see_no_way_to_what_only_the_teacher_does(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page("train", view="search")
    assert "only the teacher starts them" in texts(app) and "search:launch" not in buttons(app)
    app = open_app_page("data", source="cifar100")
    assert "by the teacher" in texts(app) and "download" not in buttons(app)
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert "search:launch" in buttons(open_app_page("train", view="search"))
    assert "download" in buttons(open_app_page("data", source="cifar100"))


def test_uploads_that_are_switched_off_are_said_to_be(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    places = (("data", {"add": "zip"}), ("data", {"add": "classes"}), ("predict", {}), ("augment", {"from": "own"}))
    for off in (True, False):
        limits.save(ClassLimits(upload_megabytes=0 if off else 1))
        for page, address in places:
            app = open_app_page(page, **address)
            fields = app.get("file_uploader")
            assert fields and all(field.disabled is off for field in fields), page
            assert ("switched uploads off" in texts(app)) is off, page


def test_the_projector_is_led_by_the_teacher_alone(teacher: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page("data", split="test", projector="")
    assert "class-show" not in buttons(app), "a projector leads no projector"
    app = open_app_page("data", split="test")
    app.button(key="class-show").click().run()
    shown = projector.shown()
    assert shown is not None and (shown.page, shown.query) == ("data", {"split": "test"})
    waiting = open_app_page("classroom", view="projector")
    assert "class-leave" not in buttons(waiting)
    assert address_of(waiting, "split") == "test", "it has gone where the teacher points"
    with people.acting(Person("a" * 32, "Anna", Role.STUDENT)), pytest.raises(Exception, match="[Oo]nly the teacher"):
        projector.show("compare", {})


def test_lists_of_searches_say_whose_they_are_and_each_what_they_may_do(
    anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = open_search_store()
    hill, teachers = join("Ms Hill", Role.TEACHER)
    with people.acting(hill):
        of_all = searches.create(plan(name="for all"))
        limits.save(ClassLimits(searches=True))
    with people.acting(anna):
        own = searches.create(plan(name="mine"))
    warmup.start()
    warmup.wait_for_store()
    app = open_app_page("train", view="search", search=of_all)
    options = app.selectbox(key="search").options
    assert any("mine" in option and "you" in option for option in options)
    assert any("for all" in option and "Ms Hill" in option for option in options)
    assert not {f"continue-{of_all}", f"hide-{of_all}"} & set(buttons(app))
    app = open_app_page("train", view="search", search=own)
    assert f"continue-{own}" in buttons(app) and f"hide-{own}" not in buttons(app)
    look_as(monkeypatch, teachers)
    app = open_app_page("train", view="search", search=own)
    monkeypatch.setattr(cache, "searches", lambda: searches)
    app.button(key=f"hide-{own}").click().run()
    assert searches.get(own).hidden and "hidden" in texts(app)
    look_as(monkeypatch, join("Ben")[1])
    assert not [
        each for each in open_app_page("train", view="search").selectbox(key="search").options if "mine" in each
    ]


def test_before_the_test_results_are_shown_a_class_compares_by_validation(anna: Person) -> None:
    store = open_store()
    run = give(store, add_compared(store, "mine", skill=0.6, seed=1), anna)
    share = f"{100 * run.metrics['val_accuracy']:.0f} % of the validation images right"
    assert share in texts(open_app_page("home"))
    table = open_app_page("compare").dataframe[0].value
    assert "Validation accuracy" in table.columns and "Test accuracy" not in table.columns
    assert "until the teacher shows the test results" in texts(open_app_page("evaluate", run=run.run_id))
    revealed.reveal("synthetic")
    assert "until the teacher shows the test results" not in texts(open_app_page("evaluate", run=run.run_id))


def test_the_teacher_hides_picked_runs(teacher: Person) -> None:
    store = open_store()
    ben, _ = join("Ben")
    run = give(store, add_compared(store, "rude", skill=0.6, seed=1), ben)
    app = open_app_page("compare", runs=run.run_id)
    app.button(key="bulk-hide").click().run()
    assert store.get(run.run_id).hidden
    app.button(key="bulk-show").click().run()
    assert not store.get(run.run_id).hidden


def test_home_shows_a_student_their_own_runs_at_work_first(anna: Person) -> None:
    store = open_store()
    ben, _ = join("Ben")
    give(store, queued(store, "mine"), anna)
    for number in range(6):
        give(store, queued(store, f"his {number}"), ben)
    warmup.start()
    warmup.wait_for_store()
    shown = texts(open_app_page("home"))
    assert shown.index("**mine**") < shown.index("**his 0**") and "his 5" not in shown and "and 2 more" in shown


def test_a_projector_notices_that_its_page_was_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_again: list[bool] = []
    monkeypatch.setattr(admission, "now", lambda: Admission.LOCKED)
    monkeypatch.setattr("streamlit.rerun", lambda: drawn_again.append(True))
    projector_window._follow(Admission.LOCKED)
    assert not drawn_again
    projector_window._follow(Admission.PAGE)
    assert drawn_again


def test_who_is_called_you_is_not_taken_for_the_visitor(anna: Person) -> None:
    store = open_store()
    you, _ = join("you")
    give(store, queued(store, "his"), you)
    warmup.start()
    warmup.wait_for_store()
    app = open_app_page("classroom", view="queue")
    assert "👤 you" in texts(app) and "⭐ you" not in texts(app)


def test_a_student_sees_own_runs_first_and_whose_the_others_are(anna: Person) -> None:
    store = open_store()
    ben, _ = join("Ben")
    own = give(store, add_compared(store, "mine", skill=0.6, seed=1), anna)
    other = give(store, add_compared(store, "his", skill=0.7, seed=2), ben)
    app = open_app_page("compare", runs=f"{own.run_id},{other.run_id}")
    assert list(app.dataframe[0].value["Name"])[:2] == ["mine", "his"]
    assert list(app.dataframe[0].value["Whose"])[:2] == ["Anna *x*", "Ben"]
    assert f"delete-{own.run_id}" in buttons(app) and f"delete-{other.run_id}" not in buttons(app)
    evaluate = open_app_page("evaluate")
    assert evaluate.selectbox(key="run").value == own.run_id
    assert any("Ben" in option for option in evaluate.selectbox(key="run").options)
    predict = open_app_page("predict")
    assert not any("his" in option for box in predict.selectbox for option in box.options)


def test_the_board_and_the_projector_have_commands(capsys: pytest.CaptureFixture[str]) -> None:
    from aquadash.cli import cli

    store = open_store()
    anna, _ = join("Anna")
    good = give(store, add_compared(store, "good", skill=0.9, seed=1), anna)

    def run(*arguments: str) -> dict[str, Any]:
        cli.main(["classroom", *arguments, "--json"], standalone_mode=False)
        return dict(json.loads(capsys.readouterr().out))

    (entry,) = run("board")["entries"]
    assert (entry["place"], entry["name"], entry["run_id"]) == (1, "Anna", good.run_id)
    assert entry["accuracy"] == pytest.approx(good.metrics["val_accuracy"], abs=0.5 / 375) and entry["images"] == 375
    assert run("board", "--reveal")["measured_on"] == "test"
    assert run("board", "--cover")["measured_on"] == "validation"
    assert run("project", "evaluate", f"run={good.run_id}", "present=1")["page"] == "evaluate"
    shown = projector.shown()
    assert shown is not None and shown.query == {"run": good.run_id, "present": "1"}
    with pytest.raises(UnknownNameError, match="evaluate"):
        run("project", "evaluat")


def test_people_and_codes_have_commands(capsys: pytest.CaptureFixture[str]) -> None:
    from aquadash.cli import cli

    def run(*arguments: str) -> dict[str, object]:
        cli.main(["classroom", *arguments, "--json"], standalone_mode=False)
        return dict(json.loads(capsys.readouterr().out))

    before = run("codes")
    assert before == run("codes")
    after = run("renew", "--student")
    assert after["student_code"] != before["student_code"] and after["teacher_code"] == before["teacher_code"]
    _, token = join("Anna")
    assert [person["name"] for person in run("people")["people"]] == ["Anna"]  # type: ignore[attr-defined]
    assert open_sessions().returning("Anna", str(run("people", "--return-code", "Anna")["return_code"]))
    run("people", "--remove", "Anna")
    assert open_sessions().person_of(token) is None
