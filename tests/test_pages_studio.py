"""The builder on the Augment page."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st

from aquadash.augment import PIPELINES, Branch, PipelineSpec, Range, op, saved_pipelines
from aquadash.augment.saved_pipelines import Draft
from aquadash.data import Dataset
from aquadash.people import Person
from aquadash.ui import datasets
from aquadash.ui.augment import operator_catalogue
from tests.app_pages import address_of
from tests.builder_page import (
    DEEP,
    control,
    do,
    is_changed,
    names,
    press,
    spec_of,
    steps,
    titles,
    unfold,
    visit,
    visit_draft,
)  # fmt: skip
from tests.classrooms import join, look_as


@pytest.fixture(autouse=True)
def quick(no_warm_up: None, monkeypatch: pytest.MonkeyPatch, tiny_dataset: Dataset) -> None:
    monkeypatch.setattr(datasets, "dataset", lambda source: tiny_dataset)


def test_adding_from_the_catalogue_makes_a_draft_that_another_session_goes_on_with() -> None:
    app = visit(pipeline="notebook-1")
    press(app, "add-0")
    app.text_input(key="studio:search").set_value("brighter").run()
    press(app, "pick-Multiply-add")
    assert names(app) == ["Fliplr", "GaussianBlur", "Multiply"]
    assert is_changed(app)
    assert control(app.slider, "step2:mul/range").value == (0.8, 1.2), "the new card is unfolded"
    again = visit()
    assert address_of(again, "pipeline") == "notebook-1" and is_changed(again)
    assert spec_of(again) == spec_of(app)
    # A link to another pipeline shows that one; undo brings the draft back.
    other = visit(pipeline="notebook-4")
    assert spec_of(other) == PIPELINES["notebook-4"] and not is_changed(other)
    assert spec_of(press(other, "undo")) == spec_of(app)
    press(unfold(other, "files-menu"), "discard")
    assert not is_changed(visit()) and saved_pipelines.draft("") is None


def test_an_added_step_goes_into_the_group_of_its_button(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = tuple(op("Sometimes", p=0.5, then_list=op(name)) for name in ("Fliplr", "Add"))
    app = visit_draft(PipelineSpec("mine", "Mine", "", (Branch("One", groups),)))
    press(app, "step2/fold")
    press(app, "add-2-then_list")
    app.text_input(key="studio:search").set_value("blur").run()
    add = app.button(key="pick-GaussianBlur-add")
    with monkeypatch.context() as patch:
        # The click on "Add" ends the drawing of the page with the moved group.
        patch.setattr(operator_catalogue, "matches", lambda *args: st.stop())
        do(app, 2, "up")
    add.click().run()
    assert names(app) == ["Sometimes", "Add", "GaussianBlur", "Sometimes", "Fliplr"]
    press(app, "add-2-then_list")
    app.text_input(key="studio:search").set_value("blur").run()
    do(app, 2, "remove")
    press(app, "pick-GaussianBlur-add")
    assert names(app) == ["Sometimes", "Fliplr", "GaussianBlur"], "without the group, the end of the version"
    assert len(steps(app)) == 2


def test_sliders_and_switches_change_the_step_and_undo_moves_them_back() -> None:
    app = visit(pipeline="notebook-1")
    press(app, "step1/fold")
    control(app.slider, "step1:sigma/range").set_value((0.5, 2.0)).run()
    control(app.slider, "step1:sigma/range").set_value((0.25, 2.0)).run()
    assert steps(app)[1] == op("GaussianBlur", sigma=Range(0.25, 2.0))
    control(app.toggle, "step1:sigma/drawn").set_value(False).run()
    control(app.slider, "step1/probability/slider").set_value(30.0).run()
    control(app.toggle, "step1/on").set_value(False).run()
    assert steps(app)[1] == op("GaussianBlur", sigma=1.125, probability=0.3, enabled=False)
    assert titles(app)[1].endswith("sigma 1.125 · 30 % of the images · off]")
    for _ in range(4):
        press(app, "undo")
    assert control(app.slider, "step1:sigma/range").value == (0.0, 1.0), "two drags of one slider are one change"
    assert control(app.toggle, "step1/on").value and app.button(key="undo").disabled and not is_changed(app)
    for _ in range(4):
        press(app, "redo")
    assert steps(app)[1].enabled is False and app.button(key="redo").disabled


def test_cards_stay_unfolded_while_steps_move_around_them() -> None:
    app = visit_draft()
    press(app, "step1/fold")
    menus = [each.label for each in app.get("menu_button") if str(each.key).startswith("step")]
    assert menus == [f"⋮ *step {step}*" for step in ("1", "2", "2.1", "2.2")], "each has a name of its own"
    do(app, 1, "up")
    assert names(app) == ["Sometimes", "GaussianBlur", "Add", "Fliplr"]
    assert control(app.slider, "step1:p/slider").value == 30.0
    control(app.number_input, "step1/position").set_value(2).run()
    assert names(app)[0] == "Fliplr"
    do(app, 2, "duplicate")
    do(app, 0, "sometimes")
    do(app, 1, "dissolve")
    assert names(app) == ["Sometimes", "Fliplr", "GaussianBlur", "GaussianBlur", "Add"]


def test_a_step_moves_into_a_group_and_into_another_version() -> None:
    app = visit_draft()
    press(app, "step0/fold")
    control(app.selectbox, "step0/place").set_value("1. First › step 2, Sometimes").run()
    assert names(app) == ["Sometimes", "GaussianBlur", "Add", "Fliplr"]
    press(app, "step1/fold")
    control(app.selectbox, "step0/place").set_value("2. Second").run()
    assert names(app, 1) == ["WithColorspace", "TranslateX", "Fliplr"]


def test_the_last_step_of_a_group_cannot_leave_it_alone() -> None:
    app = visit_draft(branch="2")
    press(app, "step4/fold")
    do(app, 5, "remove")
    assert "would have no step left" in app.error[0].value
    assert spec_of(app) == DEEP
    app.run()
    assert not app.error


def test_versions_are_added_renamed_copied_and_removed() -> None:
    app = unfold(visit(pipeline="notebook-1"), "branch-menu")
    press(app, "branch-add")
    assert spec_of(app).factor == 2 and address_of(app, "branch") == "2"
    assert not titles(app)
    control(app.text_input, "studio:branch-title1").set_value(" **Bold**  one ")
    press(app, "branch-copy")  # The click comes with what was just typed.
    assert [branch.title for branch in spec_of(app).branches][1:] == ["**Bold** one"] * 2
    app.selectbox(key="branch").set_value(1).run()
    press(app, "branch-remove")
    assert [branch.title for branch in spec_of(app).branches] == ["**Bold** one"] * 2


def test_choosing_another_pipeline_can_be_undone() -> None:
    app = visit_draft()
    app.selectbox(key="pipeline").set_value("notebook-4").run()
    assert spec_of(app) == PIPELINES["notebook-4"]
    press(app, "undo")
    assert spec_of(app) == DEEP and address_of(app, "pipeline") == "none"
    press(unfold(app, "files-menu"), "discard")
    assert spec_of(app) == PIPELINES["none"]


def test_a_draft_outlives_its_pipeline_and_a_damaged_draft_is_ignored(home: Path) -> None:
    saved_pipelines.keep_draft("", Draft(DEEP, "my-very-own", "0" * 16))
    app = visit()
    assert not app.info and spec_of(app) == DEEP and address_of(app, "pipeline") == "none"
    (kept,) = (home / "drafts").iterdir()
    for damage in ("{", "[]", '{"pipeline": 7}', kept.read_text().replace("Fliplr", "Flip")):
        kept.write_text(damage)
        assert spec_of(visit()) == PIPELINES["notebook"]


def test_everybody_in_a_class_has_a_draft_of_their_own(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spec_of(visit_draft(person_id=anna.person_id)) == DEEP
    look_as(monkeypatch, join("Ben")[1])
    assert spec_of(visit()) == PIPELINES["notebook"]


def test_the_search_finds_words_by_their_beginning_in_titles_first() -> None:
    found = [info.name for info in operator_catalogue.matches("rain", None)]
    assert found[0] == "Rain" and len(found) < 5, "not every step that speaks of training"
    assert "GaussianBlur" in [info.name for info in operator_catalogue.matches("  BLUR ", "blur")]
    assert operator_catalogue.matches("blur (", "geometry") == []
