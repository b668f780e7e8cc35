"""The frame of the augmentation page's views: data set, seed, sample images."""

from __future__ import annotations

import re
from functools import partial

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.app_pages import alternatives, html, open_app_page, unfold
from tests.builder_page import titles
from tests.encoded_pictures import saved

pytestmark = pytest.mark.usefixtures("no_warm_up")

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


def test_a_section_opens_below_the_preview_and_closes_again() -> None:
    app = visit(pipeline="notebook-1")
    assert not app.code
    app.segmented_control(key="view-below").set_value("code").run()
    assert app.query_params["view"] == "code"
    assert app.code and sources(app), "the preview stays"
    app.segmented_control(key="view-below").set_value(None).run()
    assert not app.code and "view" not in app.query_params


def test_the_catalogue_replaces_the_preview_until_it_is_closed() -> None:
    app = visit(pipeline="notebook-1", view="numbers")
    app.button(key="add-0").click().run()
    assert app.query_params["view"] == "catalogue"
    assert not any(text.endswith("original") for text in alternatives(app)) and not app.dataframe
    app.button(key="close-catalogue").click().run()
    assert "view" not in app.query_params and alternatives(app)[0].endswith("original")


def test_own_pictures_outlast_the_catalogue() -> None:
    app = visit(pipeline="notebook-1", **{"from": "own"})
    picture = saved(Image.new("RGB", (32, 32), "red"), "PNG")
    app.file_uploader(key="own-pictures").upload("red.png", picture, "image/png").run()
    assert alternatives(app)[0] == "Your picture red.png, original"
    app.button(key="add-0").click().run()
    assert "Your picture red.png, original" not in alternatives(app)
    app.button(key="close-catalogue").click().run()
    assert alternatives(app)[0] == "Your picture red.png, original"


def test_a_pipeline_is_trained_with_once_it_is_saved() -> None:
    app = visit(pipeline="notebook-1")
    app.toggle(key="step0/on#0").set_value(False).run()
    assert app.button(key="train-with-it").disabled
    app.button(key="undo").click().run()
    app.button(key="train-with-it").click().run()
    assert not app.exception
    assert app.session_state["train:values"]["augmentation.definitions"] == "", "as it is now"
    app.switch_page("pages/train.py").run()
    app.selectbox(key="set:augmentation.pipeline").set_value("none").run()
    app.query_params.clear()
    app.switch_page("pages/augment.py").run()
    app.button(key="train-with-it").click().run()
    assert app.selectbox(key="set:augmentation.pipeline").value == "notebook-1"


def test_a_certain_image_comes_first() -> None:
    app = unfold(visit(images="0,1,2,3"), "studio-options")
    app.selectbox(key="class").set_value(4).run()
    app.number_input(key="number").set_value(7).run()
    app.button(key="certain").click().run()
    assert alternatives(app)[0].startswith("whale")
    assert app.query_params["images"].endswith(",0,1,2,3")
