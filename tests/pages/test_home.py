"""The home page."""

import re
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from aquadash.store import RunStatus, RunStore
from aquadash.store.first_model import NAME, ORIGIN
from tests.support.app_pages import metrics, open_app_page, texts
from tests.support.predict_page import cards, picture
from tests.support.runs import make_run

SCORES = ("test_accuracy", "val_accuracy")

pytestmark = pytest.mark.usefixtures("no_engine")

open_page = partial(open_app_page, "home")


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_a_first_visitor_sees_a_drop_zone_animals_and_where_to_begin() -> None:
    app = open_page()
    assert not app.error
    assert app.file_uploader(key="home-picture") and app.button(key="draw-sample").label == "Try a sample"
    animals = next(block.proto.body for block in app.get("html") if "Training images of" in block.proto.body)
    assert animals.count("<img") == 25 and "🦭 seal" in animals
    assert len(set(re.findall(r'alt="(otter, training image \d+)"', animals))) == 5, "each button has a name of its own"
    assert {"**Data**", "**Augment**", "**Train**"} <= set(links(app))
    assert metrics(app) == {"Running now": "0", "Best run": "None yet", "Guided lesson": "45 min"}


def test_a_sample_and_a_picture_are_answered_in_place() -> None:
    app = open_page()
    app.button(key="draw-sample").click().run()
    assert not app.exception and not app.error
    (card,) = cards(app)
    assert "Test image" in card and card.count("aqua-fill") == 5
    assert any(label.startswith(f"Answered by {NAME}") for label in links(app)), "the included model comes by itself"
    app.file_uploader(key="home-picture").set_value([picture("red.png")])
    app.run()
    (card,) = cards(app)
    assert "red.png" in card and not app.error
    app.switch_page("pages/predict.py").run()
    assert "red.png" in cards(app)[0]
    app.button(key="remove-kept").click().run()
    assert "red.png" not in "".join(cards(app)) and not app.exception


def test_a_database_that_cannot_be_read_gives_a_message(home: Path) -> None:
    (home / "aquadash.db").write_bytes(b"no database" * 1000)
    app = open_page()
    assert app.error and all("database" in error.value for error in app.error)
    assert "**Data**" in links(app), "the rest of the page is there"


def test_the_running_and_the_best_run_are_shown(store: RunStore) -> None:
    store.update(make_run(store, "shipped", history=0).run_id, origin=ORIGIN, metrics=dict.fromkeys(SCORES, 0.8))
    for accuracy in (0.42, 0.614):
        store.update(make_run(store).run_id, metrics={**dict.fromkeys(SCORES, 0.5), "val_accuracy": accuracy})
    make_run(store, status=RunStatus.FAILED)
    make_run(store, "my *first* run", status=RunStatus.RUNNING)
    app = open_page()
    shown = metrics(app)
    assert not app.error
    assert "my \\*first\\* run" in texts(app), "names are text, not markup"
    assert shown["Running now"] != "0" and shown["Best run"] == "61 %"
    assert {"Watch", "Evaluate"} <= set(links(app))
