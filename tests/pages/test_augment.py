"""The frame of the augmentation page's views: data set, seed, sample images."""

import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.augment import library, pipeline
from tests.support.app_pages import alternatives, html, open_app_page
from tests.support.builder_page import titles

pytestmark = pytest.mark.usefixtures("no_engine")

visit = partial(open_app_page, "augment")


def sources(app: AppTest) -> list[str]:
    return re.findall(r'src="([^"]*)"', html(app))


def test_a_first_visitor_sees_the_reports_pipeline_and_originals_beside_a_draw_of_each_version() -> None:
    app = visit()
    assert not app.error
    assert titles(app) == ["**1.** Flip left-right (always)", "**2.** Blur, sigma 0 to 1"]
    assert app.button(key="undo").disabled and app.button(key="redo").disabled
    alt = alternatives(app)
    assert len(alt) == 2 * 5
    assert alt[0].endswith("original")
    assert len({text.rpartition(": ")[2] for text in alt[1:5]}) == 4
    assert not app.query_params


def test_new_draws_change_the_seed_in_the_address_and_a_change_of_the_pipeline_is_drawn_at_once() -> None:
    app = visit(pipeline="notebook-1", seed="5")
    before = sources(app)
    app.button(key="new-draws").click().run()
    assert app.query_params["seed"] != "5"
    assert sources(app)[0] == before[0], "the originals stay"
    assert sources(app)[1:5] != before[1:5]
    app.toggle(key="step0/on#0").set_value(False).run()
    app.toggle(key="step1/on#0").set_value(False).run()
    assert before[0] == sources(app)[0] == sources(app)[1] == sources(app)[3]


def test_a_pipeline_is_trained_with_and_changes_are_saved_in_the_same_click() -> None:
    def train_with_it() -> None:
        app.button(key="train-with-it").click().run()
        assert not app.exception

    def come_back() -> None:
        app.query_params.clear()
        app.switch_page("pages/augment.py").run()

    app = visit(pipeline="notebook-1")
    train_with_it()
    assert app.session_state["train:values"]["augmentation.definitions"] == "", "as it is now"
    app.switch_page("pages/train.py").run()
    app.selectbox(key="set:augmentation.pipeline").set_value("none").run()
    come_back()
    train_with_it()
    assert app.selectbox(key="set:augmentation.pipeline").value == "notebook-1"

    come_back()
    app.toggle(key="step0/on#0").set_value(False).run()
    train_with_it()
    (saved,) = library().saved
    assert app.session_state["train:values"]["augmentation.pipeline"] == saved
    assert pipeline(saved).title.endswith(", changed") and not pipeline(saved).branches[0].operators[0].enabled
    come_back()
    app.toggle(key="step0/on#0").set_value(True).run()
    train_with_it()
    assert library().saved == (saved,) and pipeline(saved).branches == pipeline("notebook-1").branches
