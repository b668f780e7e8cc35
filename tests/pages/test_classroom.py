"""The class in the pages: strangers, students and the teacher."""

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.augment.pipelines import PIPELINES
from aquadash.classroom import codes, limits
from aquadash.classroom.limits import ClassLimits
from aquadash.classroom.sessions import open_sessions
from aquadash.lab import Lab
from aquadash.pages import PAGES
from aquadash.people import Person, Role
from aquadash.store import RunStore
from aquadash.ui.classroom import members
from tests.support.app_pages import APP, buttons, open_app_page, texts
from tests.support.classrooms import join, look_as
from tests.support.runs import make_run, skilled

pytestmark = pytest.mark.usefixtures("class_pages")


@pytest.mark.parametrize("page", PAGES)
def test_strangers_see_the_way_to_join_and_students_the_way_out(
    page: str, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app_page(page)
    assert "Join the class" not in [title.value for title in app.title]
    assert not app.error, texts(app)
    assert "Anna \\*x\\*" in texts(app) and "action='/class/leave'" in texts(app)
    look_as(monkeypatch, None)
    app = open_app_page(page, run="secret")
    assert [title.value for title in app.title] == ["🐋 Join the class"]
    assert f"/class/join?next=%2F{page}%3Frun%3Dsecret" in texts(app)
    assert not app.button and not app.selectbox and not app.dataframe


def test_without_a_class_nothing_of_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AQUADASH_CLASSROOM")
    app = open_app_page("compare")
    assert "/class/leave" not in texts(app) and not app.error
    app = AppTest.from_file(APP, default_timeout=60).run()
    with pytest.raises(ValueError, match="classroom"):
        app.switch_page("pages/classroom.py")


def test_without_a_token_one_is_a_stranger_at_the_next_click(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app_page("data")
    open_sessions().remove(anna.person_id)
    app.run()
    assert [title.value for title in app.title] == ["🐋 Join the class"]
    assert "The teacher has removed you" in texts(app)
    look_as(monkeypatch, "forged")
    assert [title.value for title in app.run().title] == ["🐋 Join the class"]
    assert "removed you" not in texts(app)


def test_a_locked_page_is_open_to_the_teacher_alone(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    limits.save(ClassLimits(locked_pages=frozenset({"evaluate"})))
    app = open_app_page("evaluate")
    assert app.title[0].value == "🔒 Evaluate"
    assert "locked this page" in texts(app) and not app.selectbox
    assert open_app_page("train").title[0].value != "🔒 Train"
    look_as(monkeypatch, join("Ms Hill", Role.TEACHER)[1])
    assert open_app_page("evaluate").title[0].value == "🔎 Evaluate"


def test_students_have_no_views_of_the_teacher(anna: Person) -> None:
    made = codes.codes()
    for view in ("people", "limits"):
        app = open_app_page("classroom", view=view)
        assert "limits-save" not in buttons(app) and f"remove-{anna.person_id}" not in buttons(app)
        assert "Expected" in texts(app), "the address is refused with a word"
    app = open_app_page("classroom", view="invitation")
    assert codes.spaced(made.student) in texts(app)
    assert made.teacher not in texts(app) and codes.spaced(made.teacher) not in texts(app)
    assert not {"renew-student", "renew-teacher"} & set(buttons(app))


def test_the_teacher_shows_and_renews_the_code(teacher: Person) -> None:
    before = codes.codes()
    app = open_app_page("classroom", view="invitation")
    assert codes.spaced(before.student) in texts(app) and "data:image/svg+xml;base64," in texts(app)
    app.button(key="renew-student").click().run()
    after = codes.codes()
    assert after.student != before.student and after.teacher == before.teacher
    assert codes.spaced(after.student) in texts(app)


def test_the_teacher_sends_people_out_and_hands_them_back(teacher: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ben, token = join("Ben")
    app = open_app_page("classroom", view="people")
    assert "**1 student**" in texts(app) and "Ben" in texts(app)
    assert f"remove-{teacher.person_id}" not in buttons(app)
    app.button(key=f"rejoin-{ben.person_id}").click().run()
    address, code = app.code[0].value.split("?rejoin=")
    assert address.endswith("/class/join") and open_sessions().rejoin(code).person == ben
    app.button(key="rejoin-done").click().run()
    assert not app.code
    monkeypatch.setattr(members, "REJOIN_SECONDS", 0.0)
    app.button(key=f"rejoin-{ben.person_id}").click().run()
    assert not app.code, "whose time is over"
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
    names = {"Ms Hill", "Trained", "Saved"}
    assert {member.person.name for member in open_sessions().people()} == names
