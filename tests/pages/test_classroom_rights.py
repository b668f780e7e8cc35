"""A student who opens the address of what belongs to another gets a refusal, and nothing of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.errors import NotAllowedError
from aquadash.lab import Lab
from aquadash.people import Person
from aquadash.ui.kit import admission, explanations, predictions
from tests.support.app_pages import buttons, open_app_page, words
from tests.support.lessons import ANNA, BEN, TEACHER, Lesson

pytestmark = pytest.mark.usefixtures("in_lesson")

Look = Callable[..., AppTest]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
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


def test_what_is_kept_for_everybody_is_filtered_for_each(look: Look, lesson: Lesson) -> None:
    Lab(TEACHER).runs.hide(lesson.finished)
    try:
        assert "Anna's best" in str(look(TEACHER, "compare"))
        assert "Anna's best" not in str(look(BEN, "compare"))
        for page in ("train", "evaluate"):
            app = look(BEN, page, run=lesson.finished)
            assert "There is no run" in words(app) and "Anna's best" not in str(app)
    finally:
        Lab(TEACHER).runs.hide(lesson.finished, False)
