"""Pipelines of the builder are saved, renamed, deleted, exported and imported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.augment import PIPELINES, PipelineSpec, library, pipeline, saved_pipelines, to_code
from aquadash.augment.reading import from_json
from aquadash.data import Dataset
from aquadash.people import Person
from aquadash.ui import components, datasets
from aquadash.ui.augment import builder_state
from tests.app_pages import address_of
from tests.builder_page import DEEP, do, is_changed, press, spec_of, steps, unfold, visit, visit_draft
from tests.classrooms import join, look_as


@pytest.fixture(autouse=True)
def quick(no_warm_up: None, monkeypatch: pytest.MonkeyPatch, tiny_dataset: Dataset) -> None:
    monkeypatch.setattr(datasets, "dataset", lambda source: tiny_dataset)


def changed_fog() -> AppTest:
    """A pipeline that was saved as "Fog", with a third step that is not saved."""
    saved_pipelines.save(DEEP, title="Fog")
    return do(visit(pipeline="fog"), 0, "duplicate")


def save_as(app: AppTest, title: str) -> AppTest:
    unfold(app, "save-menu")
    app.text_input(key="studio:title").set_value(title)
    return press(app, "save-as-button")


def rename(app: AppTest, title: str) -> AppTest:
    unfold(app, "files-menu")
    app.text_input(key="studio:new-title").set_value(title)
    return press(app, "rename-button")


def delete(app: AppTest) -> AppTest:
    press(unfold(app, "files-menu"), "delete-pipeline")
    return press(app, "delete-pipeline-yes")


def test_saving_under_a_name_saving_changes_renaming_and_deleting() -> None:
    app = visit(pipeline="notebook-1")
    press(app, "add-0")
    app.text_input(key="studio:search").set_value("sharpen").run()
    press(app, "pick-Sharpen-add")
    save_as(app, "<b>Über</b> sharp")
    assert address_of(app, "pipeline") == "b-uber-b-sharp" and not is_changed(app)
    saved = pipeline("b-uber-b-sharp")
    assert [step.name for step in saved.branches[0].operators] == ["Fliplr", "GaussianBlur", "Sharpen"]
    assert saved.summary == "Flip left-right (always); Blur, sigma 0 to 1; Sharpen"
    assert "sharp" in visit().selectbox(key="pipeline").options[-1]

    do(app, 0, "remove")
    press(app, "save-changes")
    assert [step.name for step in pipeline("b-uber-b-sharp").branches[0].operators] == ["GaussianBlur", "Sharpen"]
    assert pipeline("b-uber-b-sharp").summary == "Blur, sigma 0 to 1; Sharpen"

    rename(app, "Soft")
    assert library().saved == ("soft",) and address_of(app, "pipeline") == "soft"
    press(unfold(app, "files-menu"), "delete-pipeline")
    press(app, "delete-pipeline-no")
    assert library().saved == ("soft",)
    delete(app)
    assert library().saved == () and address_of(app, "pipeline") is None


def test_a_name_that_cannot_be_is_refused_and_the_draft_stays_and_is_saved_with_its_description() -> None:
    app = unfold(visit_draft(), "save-menu")
    assert app.text_area(key="studio:summary").placeholder == DEEP.summary
    save_as(app, "notebook")
    assert "built-in" in app.error[0].value
    assert spec_of(app) == DEEP and library().saved == ()
    save_as(app, "Mist")
    assert pipeline("mist").branches == DEEP.branches and pipeline("mist").summary == DEEP.summary


def test_another_person_s_name_is_refused_for_the_same_steps(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not save_as(visit_draft(person_id=anna.person_id, pipeline="none"), "Fog").error
    ben, token = join("Ben")
    look_as(monkeypatch, token)
    app = save_as(visit_draft(person_id=ben.person_id, pipeline="none"), "Fog")
    assert "already" in app.error[0].value and not app.toast
    assert saved_pipelines.resource_of("fog").owner == anna.person_id


def test_pipelines_that_another_session_saves_deletes_or_damages_are_seen_at_once(home: Path) -> None:
    app = visit()
    before = app.selectbox(key="pipeline").options
    saved_pipelines.save(DEEP, title="From elsewhere")
    assert len(app.run().selectbox(key="pipeline").options) == len(before) + 1
    (home / "pipelines" / "broken.json").write_text("{")
    app.run()
    assert any("1 saved pipeline cannot be read" in each.label for each in app.expander)
    assert any("broken.json" in each.value for each in app.markdown)
    saved_pipelines.delete("from-elsewhere")
    assert app.run().selectbox(key="pipeline").options == before


def saved_elsewhere() -> PipelineSpec:
    """What another session saves over "Fog"."""
    return saved_pipelines.save(replace(DEEP, branches=DEEP.branches[:1]), title="Fog", replace_name="fog")


def reloaded(app: AppTest) -> AppTest:
    """The page as a reload or a link shows it, in a session of its own."""
    name = address_of(app, "pipeline")
    return visit(**{"pipeline": name} if name else {})


def test_changes_saved_by_another_session_are_not_overwritten_after_a_reload() -> None:
    app = changed_fog()
    theirs = saved_elsewhere()
    for _ in range(2):  # A refusal or a reload must not take over the other session's version.
        press(app, "save-changes")
        assert "elsewhere" in app.error[0].value and pipeline("fog") == theirs
        app = reloaded(app)
    rename(app, "Mist")
    assert "elsewhere" in app.error[0].value and library().saved == ("fog",)
    assert len(steps(app)) == 3, "the draft stays"

    press(app, "discard")
    assert spec_of(app) == theirs and steps(app) == theirs.branches[0].operators
    for number in (1, 2):  # The next change starts from this session's last save.
        do(app, steps(app)[0].id, "duplicate")
        app = reloaded(app)
        press(app, "save-changes")
        assert not app.error and len(pipeline("fog").branches[0].operators) == 2 + number


def test_changes_saved_by_another_session_are_not_overwritten_after_undo() -> None:
    app = changed_fog()
    mine, theirs = spec_of(app), saved_elsewhere()
    press(unfold(app, "files-menu"), "discard")
    assert spec_of(app.run()) == theirs
    press(app, "undo")
    assert spec_of(app).branches == mine.branches
    press(app, "save-changes")
    assert "elsewhere" in app.error[0].value and pipeline("fog") == theirs
    press(app, "redo")
    assert address_of(app, "pipeline") == "fog" and spec_of(app) == pipeline("fog") == theirs


def test_a_save_is_no_step_to_undo_and_redo_stays() -> None:
    saved_pipelines.save(DEEP, title="Fog")
    app = visit(pipeline="fog")
    for _ in range(2):
        do(app, 0, "duplicate")
    press(app, "undo")
    press(app, "save-changes")
    press(app, "undo")
    assert spec_of(app).branches == DEEP.branches
    for number in (3, 4):
        press(app, "redo")
        assert len(steps(app)) == number and (not is_changed(app)) == (number == 3)


def test_changes_of_a_renamed_pipeline_have_its_new_name_and_can_be_undone() -> None:
    app = changed_fog()
    rename(app, "Mist")
    changed = spec_of(app)
    assert (changed.name, changed.title, len(steps(app))) == ("mist", "Mist", 3)
    press(app, "undo")
    assert not is_changed(app) and spec_of(app) == pipeline("mist")
    press(app, "redo")
    assert spec_of(app) == changed
    press(reloaded(app), "save-changes")
    assert pipeline("mist").branches == changed.branches


def double_click(app: AppTest, key: str, monkeypatch: pytest.MonkeyPatch, *, by: str) -> None:
    """Click twice: the second click ends the script while the first still works in ``builder_state``'s ``by``."""
    button, load = app.button(key=key), getattr(builder_state, by)
    for menu in app.selectbox:
        menu.set_value(menu.value)  # The browser still sends the old values.

    def cut_short(*args: Any, **options: Any) -> None:
        load(*args, **options)
        st.stop()

    with monkeypatch.context() as patch:
        patch.setattr(builder_state, by, cut_short)
        button.click().run()
    button.click().run()
    assert not app.error and not app.exception


@pytest.mark.parametrize(
    ("key", "by", "shown", "saved"),
    [
        ("save-changes", "load", "fog", {"fog": 3}),
        ("save-as-button", "load", "mist", {"fog": 2, "mist": 3}),
        ("rename-button", "renamed", "mist", {"mist": 2}),
        ("delete-pipeline-yes", "load", None, {}),
    ],
)
def test_a_double_click_is_done_once(
    key: str, by: str, shown: str | None, saved: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = unfold(unfold(changed_fog(), "files-menu"), "save-menu")
    for field in ("studio:title", "studio:new-title"):
        app.text_input(key=field).set_value(" Mist ")
    if key == "delete-pipeline-yes":
        press(app, "delete-pipeline")
    double_click(app, key, monkeypatch, by=by)
    assert {name: len(pipeline(name).branches[0].operators) for name in library().saved} == saved
    assert address_of(app, "pipeline") == shown
    assert (not is_changed(app)) == (key != "rename-button")


def test_a_file_is_exported_and_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str] = {}
    download = components.download

    def noted(label: str, content: str, *, key: str, **options: str) -> None:
        files[key] = content
        download(label, content, key=key, **options)

    monkeypatch.setattr(components, "download", noted)
    app = unfold(visit(pipeline="notebook-2"), "files-menu")
    assert from_json(files["export"]) == PIPELINES["notebook-2"]
    assert files["download-code"] == to_code(PIPELINES["notebook-2"])
    do(app, 0, "remove")
    exported = from_json(files["export"])
    assert exported.branches == spec_of(app).branches
    assert "swaps colour channels" not in exported.summary.lower(), "the summary follows the steps"
    app.file_uploader(key="import-0").upload("deep.json", DEEP.to_json().encode(), "application/json").run()
    assert not app.error and spec_of(app) == DEEP and "“Mine” from deep.json" in app.toast[0].value
    for _ in range(2):
        press(app, "undo")
    assert address_of(app, "pipeline") == "notebook-2" and not is_changed(app)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}", b" " * 400_001])
def test_a_file_that_is_no_pipeline_is_refused_by_name(content: bytes) -> None:
    app = unfold(visit(pipeline="notebook-2"), "files-menu")
    app.file_uploader(key="import-0").upload("bad.json", content, "application/json").run()
    assert "bad.json" in app.error[0].value and spec_of(app) == PIPELINES["notebook-2"]
