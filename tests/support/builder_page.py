"""The builder on the Augment page without a browser, for the tests that open it."""

from collections.abc import Sequence
from typing import Any

from streamlit.testing.v1 import AppTest

from aquadash.augment import Branch, PipelineSpec, op, pipeline
from aquadash.augment.saved_pipelines import Draft, keep_draft, version_of
from aquadash.augment.spec import Operator, walk
from tests.support.app_pages import open_app_page

DEEP = PipelineSpec(
    "mine",
    "Mine",
    "Mine alone.",
    (
        Branch("First", (op("Fliplr", p=0.5), op("Sometimes", p=0.3, then_list=(op("GaussianBlur"), op("Add"))))),
        Branch("Second", (op("WithColorspace", to_colorspace="HSV", children=op("TranslateX", px=3)),)),
    ),
)


def visit_draft(spec: PipelineSpec = DEEP, *, person_id: str = "", **address: str) -> AppTest:
    """The page with a person's draft that was started from nothing."""
    keep_draft(person_id, Draft(spec, "none", version_of(pipeline("none"))))
    return visit(**address)


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


def steps(app: AppTest, branch: int = 0) -> tuple[Operator, ...]:
    return spec_of(app).branches[branch].operators


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


def names(app: AppTest, branch: int = 0) -> list[str]:
    return [step.name for step in walk(spec_of(app).branches[branch].operators)]
