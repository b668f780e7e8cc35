"""An image that a card or a link opens: what it shows, and what it says where something is missing."""

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.store import Predictions, Run, RunStatus, RunStore, open_store
from aquadash.ui.kit.image_dialog import image_name
from tests.support import live_runs
from tests.support.app_pages import address_of, html, open_app_page
from tests.support.explained_models import add_untrained
from tests.support.runs import HOSTILE, make_run

pytestmark = pytest.mark.usefixtures("in_shared_home")


Shelf = dict[str, Run]


@pytest.fixture(scope="module")
def shelf(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Runs on the drawn animals: one whose data set has changed, one without a network, one with an untrained one."""
    changed, without = make_run(shared_store, dataset_fingerprint="0" * 64), make_run(shared_store)
    run = add_untrained(shared_store, make_run(shared_store, HOSTILE), tmp_path_factory.mktemp("network"))
    return {"changed": changed, "without": without, "run": run}


def list_of(app: AppTest, label: str) -> list[str]:
    """The text alternatives of a list of images."""
    [found] = [block.proto.body for block in app.get("html") if f'aria-label="{label}"' in block.proto.body]
    return re.findall(r'alt="([^"]*)"', found)


def errors(app: AppTest) -> list[str]:
    return [each.value for each in app.error]


def test_a_link_opens_a_test_image_with_its_bars_maps_nearest_training_images_and_link(shelf: Shelf) -> None:
    app = open_app_page("evaluate", run=shelf["run"].run_id, open="test-10", me="0123456789abcdef")
    label = data.load("synthetic").test.labels[10]
    name = data.load("synthetic").class_names[label]
    assert any("taken for" in each.value and "beaver" in each.value for each in app.markdown)
    maps = list_of(app, "Maps by Grad-CAM")
    assert len(maps) == 2 and "Grad-CAM for beaver" in maps[0] and f"Grad-CAM for {name}" in maps[1]
    assert len(list_of(app, "Nearest training images")) == 6
    assert any(f"run={shelf['run'].run_id}" in each.value and "open=test-10" in each.value for each in app.code)
    # The link is passed on, but not whose lesson it is.
    assert not any("me=" in each.value for each in app.code)
    assert errors(app) == []
    assert address_of(app, "open") == "test-10"
    assert "<img src=x" not in html(app)
    app.segmented_control(key="why-view").set_value("alone").run()
    [link] = [each.value for each in app.code if "open=test-10" in each.value]
    assert "why-view=alone" in link


def test_without_a_network_the_stored_answer_is_there_and_a_message(shelf: Shelf) -> None:
    app = open_app_page("evaluate", run=shelf["without"].run_id, open="test-1")
    assert any("recognised" in each.value for each in app.markdown)
    assert len(errors(app)) == 1


def test_data_opens_an_image_with_the_answers_of_the_best_run(shelf: Shelf) -> None:
    app = open_app_page("data", source="synthetic", open="train-0")
    assert any("source=synthetic" in each.value and "open=train-0" in each.value for each in app.code)
    assert len(list_of(app, "Nearest training images")) == 6
    assert errors(app) == []


def test_a_run_that_goes_on_answers_as_before(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    store, odd = open_store(), np.arange(1, 2500, 2)
    labels = data.load("synthetic").train.labels[odd]
    run = add_untrained(store, make_run(store), tmp_path)
    store.add_validation_predictions(run.run_id, Predictions(odd, labels, np.eye(5, dtype=np.float32)[labels]))
    store.update(run.run_id, status=RunStatus.STOPPED)
    live_runs.queue(store, run.run_id)
    app = open_app_page("data", source="synthetic", open="train-1")
    assert errors(app) == [] and any("recognised, 100 %" in each.value for each in app.markdown)
    assert all(int(text.split(",")[0].split()[-1]) % 2 == 0 for text in list_of(app, "Nearest training images"))


@pytest.mark.parametrize(
    ("opened", "message"),
    [("test-500", "There is no image 500"), ("test-1", "has changed since this run was trained")],
)
def test_what_cannot_be_opened_is_said(shelf: Shelf, opened: str, message: str) -> None:
    run = shelf["changed" if "changed" in message else "run"]
    app = open_app_page("evaluate", run=run.run_id, open=opened)
    assert any(message in text for text in errors(app))


@pytest.mark.parametrize("text", ["12", "test-", "test--1", "test-²", "<b>", "train-12345678", "", None, 7])
def test_an_image_has_one_name_and_nothing_else_is_one(text: object) -> None:
    assert image_name("train-007") == "train-7" and image_name("test-12") == "test-12"
    with pytest.raises(ValueError):
        image_name(text)


def test_an_address_that_names_no_image_gets_a_note(shelf: Shelf) -> None:
    app = open_app_page("evaluate", run=shelf["run"].run_id, open="<b>")
    assert any("such as test-12" in each.value for each in app.info)
    assert address_of(app, "open") is None
