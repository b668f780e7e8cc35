"""The Augment page: preview, steps and versions; pipelines are trained with, saved, renamed, deleted and exported."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.augment import PIPELINES, Branch, PipelineSpec, Range, library, op, pipeline, saved_pipelines, to_code
from aquadash.augment.reading import from_json
from aquadash.augment.saved_pipelines import Draft, keep_draft, version_of
from aquadash.augment.spec import Operator
from aquadash.people import Person
from aquadash.ui.kit import components
from tests.support.app_pages import address_of, alternatives, html, open_app_page
from tests.support.lessons import join, look_as

pytestmark = pytest.mark.usefixtures("no_engine")


DEEP = PipelineSpec(
    "mine",
    "Mine",
    "Mine alone.",
    (
        Branch("First", (op("Fliplr", p=0.5), op("Sometimes", p=0.3, then_list=(op("GaussianBlur"), op("Add"))))),
        Branch("Second", (op("WithColorspace", to_colorspace="HSV", children=op("TranslateX", px=3)),)),
    ),
)


def visit(**address: str) -> AppTest:
    app = open_app_page("augment", **{"view": "code", **address})
    assert not app.error, app.error[0].value
    return app


def spec_of(app: AppTest) -> PipelineSpec:
    """The pipeline that the page shows."""
    spec: PipelineSpec = app.session_state["studio:history"].present.spec
    return spec


def is_changed(app: AppTest) -> bool:
    """Whether the page says that there are unsaved changes."""
    return any("unsaved changes" in each.value for each in app.markdown)


def steps(app: AppTest) -> tuple[Operator, ...]:
    return spec_of(app).branches[0].operators


def do(app: AppTest, step_id: int | None, action: str) -> AppTest:
    """Choose from the menu of the card of the step with that id."""
    menu = next(each for each in app.get("menu_button") if each.key == f"step{step_id}/menu")
    menu.click(action).run()
    assert not app.exception
    return app


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def control(widgets: Sequence[Any], stem: str) -> Any:
    """The control of that name; its key changes when the page sets its value."""
    return next(each for each in widgets if str(each.key).startswith(f"{stem}#"))


def unfold(app: AppTest, menu: str) -> AppTest:
    """Open a menu; those of files have a new key each time that they have done their work."""
    done = app.session_state["studio:menus"] if "studio:menus" in app.session_state else 0
    app.session_state[menu if menu == "branch-menu" else f"{menu}-{done}"] = True
    app.run()
    assert not app.exception
    return app


def titles(app: AppTest) -> list[str]:
    return [each.label for each in app.button if (each.key or "").endswith("/fold")]


def test_a_first_visitor_sees_the_reports_pipeline_and_a_draw_of_each_version() -> None:
    app = open_app_page("augment")
    assert titles(app) == ["**1.** Flip left-right (always)", "**2.** Blur, sigma 0 to 1"]
    assert app.button(key="undo").disabled and app.button(key="redo").disabled and not app.query_params
    assert len({text.rpartition(": ")[2] for text in alternatives(app)[1:5]}) == 4


def test_new_draws_change_the_seed_in_the_address_and_a_change_of_the_pipeline_is_drawn_at_once() -> None:
    def sources(app: AppTest) -> list[str]:
        return re.findall(r'src="([^"]*)"', html(app))

    app = open_app_page("augment", pipeline="notebook-1", seed="5")
    before = sources(app)
    press(app, "new-draws")
    assert address_of(app, "seed") != "5" and sources(app)[0] == before[0] and sources(app)[1:5] != before[1:5]
    for step in (0, 1):
        control(app.toggle, f"step{step}/on").set_value(False).run()
    assert before[0] == sources(app)[0] == sources(app)[1] == sources(app)[3]


def test_a_pipeline_is_trained_with_and_changes_are_saved_in_the_same_click() -> None:
    def come_back() -> None:
        app.query_params.clear()
        app.switch_page("pages/augment.py").run()

    app = open_app_page("augment", pipeline="notebook-1")
    press(app, "train-with-it")
    assert app.session_state["train:values"]["augmentation.definitions"] == "", "as it is now"
    app.switch_page("pages/train.py").run()
    app.selectbox(key="set:augmentation.pipeline").set_value("none").run()
    come_back()
    press(app, "train-with-it")
    assert app.selectbox(key="set:augmentation.pipeline").value == "notebook-1"
    come_back()
    app.toggle(key="step0/on#0").set_value(False).run()
    press(app, "train-with-it")
    (saved,) = library().saved
    assert app.session_state["train:values"]["augmentation.pipeline"] == saved
    assert pipeline(saved).title.endswith(", changed") and not pipeline(saved).branches[0].operators[0].enabled
    come_back()
    app.toggle(key="step0/on#0").set_value(True).run()
    press(app, "train-with-it")
    assert library().saved == (saved,) and pipeline(saved).branches == pipeline("notebook-1").branches


def test_a_step_from_the_catalogue_makes_a_draft_that_another_session_opens() -> None:
    app = visit(pipeline="notebook-1")
    press(app, "add-0")
    app.text_input(key="studio:search").set_value("brighter").run()
    press(app, "pick-Multiply-add")
    assert [step.name for step in steps(app)] == ["Fliplr", "GaussianBlur", "Multiply"]
    assert control(app.slider, "step2:mul/range").value == (0.8, 1.2), "the new card is unfolded"
    again = visit()
    assert address_of(again, "pipeline") == "notebook-1" and is_changed(again) and spec_of(again) == spec_of(app)
    # A link to another pipeline shows that one; undo brings the draft back.
    other = visit(pipeline="notebook-4")
    assert spec_of(other) == PIPELINES["notebook-4"] and not is_changed(other)
    assert spec_of(press(other, "undo")) == spec_of(app)
    press(unfold(other, "files-menu"), "discard")
    assert not is_changed(visit()) and saved_pipelines.draft("") is None


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
    for _ in range(4):
        press(app, "undo")
    assert control(app.slider, "step1:sigma/range").value == (0.0, 1.0), "two drags of one slider are one change"
    assert control(app.toggle, "step1/on").value and app.button(key="undo").disabled and not is_changed(app)
    assert control(press(app, "redo").slider, "step1:sigma/range").value == (0.25, 2.0)


def test_versions_are_added_renamed_copied_and_removed() -> None:
    app = unfold(visit(pipeline="notebook-1"), "branch-menu")
    press(app, "branch-add")
    assert spec_of(app).factor == 2 and address_of(app, "branch") == "2" and not titles(app)
    control(app.text_input, "studio:branch-title1").set_value(" **Bold**  one ")
    press(app, "branch-copy")  # The click comes with what was just typed.
    assert [branch.title for branch in spec_of(app).branches][1:] == ["**Bold** one"] * 2
    app.selectbox(key="branch").set_value(1).run()
    press(app, "branch-remove")
    assert [branch.title for branch in spec_of(app).branches] == ["**Bold** one"] * 2


def test_a_draft_outlives_its_pipeline_and_damaged_files_are_ignored_or_named(home: Path) -> None:
    keep_draft("", Draft(DEEP, "my-very-own", "0" * 16))
    app = visit()
    assert not app.info and spec_of(app) == DEEP and address_of(app, "pipeline") == "none"
    (kept,) = (home / "drafts").iterdir()
    for damage in ("{", "[]", '{"pipeline": 7}', kept.read_text().replace("Fliplr", "Flip")):
        kept.write_text(damage)
        assert spec_of(visit()) == PIPELINES["notebook"]
    saved_pipelines.save(DEEP, title="From elsewhere")
    (home / "pipelines" / "broken.json").write_text("{")
    app = visit()
    assert any("From elsewhere" in option for option in app.selectbox(key="pipeline").options)
    assert any("broken.json" in each.value for each in app.markdown)


def save_as(app: AppTest, title: str) -> AppTest:
    unfold(app, "save-menu")
    app.text_input(key="studio:title").set_value(title)
    return press(app, "save-as-button")


def rename(app: AppTest, title: str) -> AppTest:
    unfold(app, "files-menu")
    app.text_input(key="studio:new-title").set_value(title)
    return press(app, "rename-button")


def test_saving_under_a_name_saving_changes_renaming_and_deleting() -> None:
    app = save_as(visit(pipeline="notebook-1"), "notebook")
    assert "built-in" in app.error[0].value and library().saved == ()
    save_as(app, "<b>Über</b> soft")
    assert address_of(app, "pipeline") == "b-uber-b-soft" and not is_changed(app)
    press(do(app, 0, "remove"), "save-changes")
    assert pipeline("b-uber-b-soft").branches == spec_of(app).branches != PIPELINES["notebook-1"].branches
    assert pipeline("b-uber-b-soft").summary == "Blur, sigma 0 to 1", "it follows the steps"
    rename(app, "Soft")
    assert library().saved == ("soft",) and address_of(app, "pipeline") == "soft"
    for answer, saved in (("no", ("soft",)), ("yes", ())):
        press(unfold(app, "files-menu"), "delete-pipeline")
        press(app, f"delete-pipeline-{answer}")
        assert library().saved == saved
    assert address_of(app, "pipeline") is None


def test_everybody_in_a_class_has_a_draft_and_names_of_their_own(anna: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not save_as(visit(pipeline="notebook-1"), "Fog").error
    keep_draft(anna.person_id, Draft(DEEP, "none", version_of(pipeline("none"))))
    assert spec_of(visit()) == DEEP
    look_as(monkeypatch, join("Ben")[1])
    app = visit()
    assert spec_of(app) == PIPELINES["notebook"]
    assert "already" in save_as(app, "Fog").error[0].value and not app.toast
    assert saved_pipelines.resource_of("fog").owner == anna.person_id


def test_changes_saved_by_another_session_are_not_overwritten_after_a_reload() -> None:
    saved_pipelines.save(DEEP, title="Fog")
    app = do(visit(pipeline="fog"), 0, "duplicate")
    theirs = saved_pipelines.save(replace(DEEP, branches=DEEP.branches[:1]), title="Fog", replace_name="fog")
    for _ in range(2):  # A refusal or a reload must not take over the other session's version.
        press(app, "save-changes")
        assert "in another window" in app.error[0].value and pipeline("fog") == theirs
        app = visit(pipeline="fog")
    rename(app, "Mist")
    assert "in another window" in app.error[0].value and library().saved == ("fog",)
    assert len(steps(app)) == 3, "the draft stays"
    assert spec_of(press(app, "discard")) == theirs
    for number in (1, 2):  # The next change starts from this session's last save.
        do(app, steps(app)[0].id, "duplicate")
        app = press(visit(pipeline="fog"), "save-changes")
        assert not app.error and len(pipeline("fog").branches[0].operators) == 2 + number


def test_a_file_is_exported_and_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str] = {}

    def note(label: str, content: str, *, key: str, **options: str) -> None:
        files[key] = content

    monkeypatch.setattr(components, "render_download", note)
    app = unfold(visit(pipeline="notebook-2"), "files-menu")
    assert from_json(files["export"]) == PIPELINES["notebook-2"]
    assert files["download-code"] == to_code(PIPELINES["notebook-2"])
    for content in (b"\xff\xfe", b"{}", b" " * 400_001):
        app.file_uploader(key="import-0").set_value(("bad.json", content, "application/json")).run()
        assert "bad.json" in app.error[0].value and spec_of(app) == PIPELINES["notebook-2"]
    do(app, 0, "remove")
    assert from_json(files["export"]).branches == spec_of(app).branches
    app.file_uploader(key="import-0").upload("deep.json", DEEP.to_json().encode(), "application/json").run()
    assert not app.error and spec_of(app) == DEEP and is_changed(app)
