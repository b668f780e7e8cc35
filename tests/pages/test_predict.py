"""The Predict page: what is dropped, drawn or photographed gets an answer."""

import re
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from PIL import Image

from aquadash.lab.runs import Runs
from aquadash.store import Run, open_store
from aquadash.store.first_model import NAME
from aquadash.ui.kit import predictions
from aquadash.ui.kit.picture_cards import NONE_OF_THESE
from aquadash.ui.predict import page as predict_page
from tests.support.app_pages import address_of, texts, words
from tests.support.encoded_pictures import saved
from tests.support.predict_page import accuracy, cards, drop, halves, open_page, picture, store_colours, widget
from tests.support.runs import HOSTILE

pytestmark = pytest.mark.usefixtures("no_engine")


def test_with_nothing_trained_the_included_model_answers() -> None:
    app = open_page()
    assert NAME in app.selectbox(key="run").options[0]
    (about,) = app.expander
    assert "Limits" in about.markdown[0].value
    drop(app, picture("red.png"), picture("noise.png", size=(32, 32)))
    noise = cards(app)[1]
    assert re.search(r'aqua-verdict">🤷 None of these</p><p[^>]*>If it had to choose: .+, \d+ %</p>', noise)
    assert re.search(r'<button type="button" class="aqua-why" data-opens="own-[^"]+">Why\?</button>', noise)
    assert "AUROC" not in words(app).replace(about.markdown[0].value, "")
    open_store().delete(open_store().list_runs()[0].run_id)
    app = open_page()
    assert "no trained network yet" in words(app) and not app.error and not app.file_uploader
    app.button(key="first-model").click().run()
    assert not app.exception and app.file_uploader(key="pictures")


def test_good_and_bad_files_of_one_drop(colours: Run) -> None:
    app = open_page(run=colours.run_id)
    good = picture("red.png")
    in_cmyk = "blue.jpg", saved(Image.new("CMYK", (64, 48), (255, 255, 0, 0)), "JPEG"), "image/jpeg"
    drop(app, good, (HOSTILE + ".jpg", good[1], "image/jpeg"), ("cut.png", good[1][:60], "image/png"), in_cmyk)
    red, lying, cut, blue = cards(app)
    assert "🦫 beaver, 100 %" in red and "🦦 otter, 100 %" in blue
    assert red.count("<img") == 2 and red.count("alt=") == 2
    assert "64 × 48" in red and "32 × 32" in red
    assert "is really a PNG" in lying and "&lt;img src=x" in lying and "<img src=x" not in lying
    assert "cut.png cannot be read" in cut
    assert "CMYK" in blue
    assert any("otter: 1" in block.value and "without an answer: 2" in block.value for block in app.markdown)
    assert "data-opens" not in cut
    app.session_state["open"] = re.search(r'data-opens="([^"]+)"', red)[1]
    app.run()
    assert not app.exception and not app.error and not app.code
    assert address_of(app, "open") is None, "nobody else has the picture"
    assert any(each.value.startswith("### ") and "beaver, 100 %" in each.value for each in app.markdown)
    assert app.selectbox(key="why-method").value == "grad-cam"
    widget(app.pills, "true-").set_value("otter").run()
    assert any("taken for" in each.value and "beaver" in each.value for each in app.markdown)


def test_test_images_can_be_tried_with_one_click(colours: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(run=colours.run_id)
    app.button(key="draw-sample").click().run()
    assert not app.error
    drawn = cards(app)
    assert len(drawn) == 5 and all("Test image" in card and ("✔" in card or "✘" in card) for card in drawn)
    assert app.query_params["sample"] in ("1", ["1"])
    monkeypatch.setattr(Runs, "temperature", lambda self, run: 3.0)
    again = open_page(run=colours.run_id, sample="1")
    assert cards(again) == drawn, "a temperature is for own pictures alone"


def test_a_folder_gives_the_true_labels(colours: Run) -> None:
    app = open_page(run=colours.run_id, input="folder")
    app.file_uploader(key="folder").set_value([picture("zoo/otter/a.png"), ("zoo/otter/notes.txt", b"hello", "")])
    app.run()
    assert "🦫 beaver, 100 %" in cards(app)[0] and "notes.txt is a text file" in cards(app)[1]
    app.button(key="folder-labels").click().run()
    assert not app.error and "0 of 1 right" in accuracy(app).delta


def test_a_stopped_drop_goes_on_when_asked(colours: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_page(run=colours.run_id)
    original, read = predictions.look_at, []

    def stopping(name: str, *arguments: Any, **options: Any) -> Any:
        read.append(name)
        if len(read) == 8:
            # As the button's callback, which comes while the script is at work, does in the browser.
            predict_page.set_stopped(True)
            st.rerun()
        return original(name, *arguments, **options)

    monkeypatch.setattr(predictions, "look_at", stopping)
    drop(app, *(picture(f"{number}.png", size=(8, 8)) for number in range(30)))
    assert "Stopped: 4 of 30 pictures" in app.info[0].value and len(cards(app)) == 4
    assert len(read) == 8
    app.button(key="go-on-predicting").click().run()
    assert not app.exception and len(cards(app)) == 20
    assert any("beaver: 30" in block.value for block in app.markdown)
    assert len(set(read)) == 30 and read.count("0.png") == 1, "a picture is read once"


def test_the_answer_follows_the_crop_which_stays_while_another_page_is_open(colours: Run) -> None:
    small = (picture(f"{number}.png", size=(8, 8)) for number in range(22))
    app = drop(open_page(run=colours.run_id), halves(), *small)
    assert len(cards(app)) == 20 and "network sees" in cards(app)[0]
    crops = [each.proto.popover.label for each in app.get("popover") if "Crop" in each.proto.popover.label]
    assert crops == ["Crop *halves.png*"], "square pictures have nothing to crop"
    widget(app.slider, "place-").set_value(0).run()
    assert "🦫 beaver, 100 %" in cards(app)[0]
    widget(app.slider, "place-").set_value(100).run()
    assert "🦦 otter, 100 %" in cards(app)[0]
    assert any("beaver: 22" in block.value and "otter: 1" in block.value for block in app.markdown)
    app.number_input(key="page").set_value(2).run()
    assert len(cards(app)) == 3 and "21.png" in cards(app)[-1]
    app.number_input(key="page").set_value(1).run()
    assert "🦦 otter, 100 %" in cards(app)[0]
    assert widget(app.slider, "place-").value == 100 and not app.exception


def test_true_labels_give_an_accuracy_with_its_interval_and_a_matrix(colours: Run) -> None:
    blue = (0, 0, 255)
    pictures = picture("a.png"), picture("b.png"), picture("c.png", blue), picture("d.png", blue)
    app = drop(open_page(run=colours.run_id), *pictures)
    assert not app.metric
    labels = [each for each in app.pills if str(each.key).startswith("true-")]
    assert len(labels) == 4
    for label, name in zip(labels, ["beaver", "otter", "otter", NONE_OF_THESE], strict=True):
        label.set_value(name)
    app.run()
    assert not app.exception
    assert accuracy(app).value == "67 %" and "2 of 3 right" in accuracy(app).delta
    assert "21 % to 94 %" in accuracy(app).delta  # Wilson's interval of 2 of 3: 20.8 % to 93.9 %.
    assert "1 picture of none of these classes: not counted above. The network put it" in texts(app)
    assert "✔" in cards(app)[0] and "✘" in cards(app)[1] and "✘" in cards(app)[3]
    assert len(app.get("plotly_chart")) == 1
    widget(app.pills, "true-").set_value(None).run()  # A second click takes it back.
    assert "1 of 2 right" in accuracy(app).delta


def test_runs_side_by_side_have_names_of_their_own(colours: Run, tmp_path: Path) -> None:
    store = open_store()
    other = store_colours(tmp_path, store, name="opposite <b>", classes=(3, 4, 0))  # It calls what is red a seal.
    app = open_page(run=colours.run_id, beside=f"x,{'f' * 32}")
    assert "The address asks for" in app.info[0].value and app.multiselect(key="beside").value == []
    app = drop(open_page(run=colours.run_id, beside=other.run_id), picture("red.png"))
    (card,) = cards(app)
    assert "🦫 beaver, 100 %" in card and "🦭 seal, 100 %" in card
    assert "opposite &lt;b&gt;" in card and "<b>" not in card.replace('<b title="true class">', "")
    app.multiselect(key="beside").set_value([]).run()
    assert "🦭 seal, 100 %" not in cards(app)[0] and address_of(app, "beside") is None
    store.rename(other.run_id, colours.name)
    (card,) = cards(drop(open_page(run=colours.run_id, beside=other.run_id), picture("red.png")))
    store.delete(other.run_id)
    assert all(f"colours ({run_id[:8]})" in card for run_id in (colours.run_id, other.run_id))
