"""An image that a card or a link opens, the maps of a network's answers, and messages where something is missing."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.explain.explainer import RemoteExplainer
from aquadash.explain.results import Explanation
from aquadash.store import Predictions, Run, RunStatus, RunStore, open_store
from aquadash.ui.kit import explanations
from aquadash.ui.kit.image_dialog import image_name
from tests.support import live_runs
from tests.support.app_pages import address_of, alternatives, buttons, html, open_app_page
from tests.support.explained_models import add_untrained
from tests.support.runs import HOSTILE, OTTER, make_run

pytestmark = pytest.mark.usefixtures("in_shared_home")

Shelf = dict[str, Run]


@pytest.fixture(scope="module")
def shelf(shared_store: RunStore, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Runs on the drawn animals: one whose data set has changed, one without a network, one with an untrained one."""
    changed, without = make_run(shared_store, dataset_fingerprint="0" * 64), make_run(shared_store)
    run = add_untrained(shared_store, make_run(shared_store, HOSTILE), tmp_path_factory.mktemp("network"))
    return {"changed": changed, "without": without, "run": run}


def opened(run: Run, image: str = "test-10", **address: str) -> AppTest:
    return open_app_page("evaluate", run=run.run_id, open=image, **address)


def list_of(app: AppTest, label: str) -> list[str]:
    """The text alternatives of a list of images."""
    [body] = [block.proto.body for block in app.get("html") if f'aria-label="{label}"' in block.proto.body]
    return re.findall(r'alt="([^"]*)"', body)


def errors(app: AppTest) -> list[str]:
    return [each.value for each in app.error]


def links(app: AppTest) -> list[str]:
    return [each.value for each in app.code if "open=" in each.value]


def test_a_link_opens_a_test_image_with_its_bars_maps_nearest_training_images_and_link(shelf: Shelf) -> None:
    run = shelf["run"]
    app = opened(run, me="0123456789abcdef")
    name = run.class_names[data.load("synthetic").test.labels[10]]
    assert any("taken for" in each.value and "beaver" in each.value for each in app.markdown)
    maps = list_of(app, "Maps by Grad-CAM")
    assert len(maps) == 2 and "Grad-CAM for beaver" in maps[0] and f"Grad-CAM for {name}" in maps[1]
    assert "The answer. " in html(app) and "The true class. " in html(app)
    assert len(list_of(app, "Nearest training images")) == 6
    # The link is passed on, but not whose lesson it is.
    [link] = links(app)
    assert f"run={run.run_id}" in link and "open=test-10" in link and "me=" not in link
    assert errors(app) == [] and "<img src=x" not in html(app)

    app.segmented_control(key="why-view").set_value("alone").run()
    app.selectbox(key="why-method").set_value("integrated-gradients").run()
    app.toggle(key="why-layers").set_value(True).run()
    assert "why-view=alone" in links(app)[0] and "why-method=integrated-gradients" in links(app)[0]
    assert len(list_of(app, "Maps by Integrated gradients")) == 2
    assert len(list_of(app, "Channels of layer conv2d")) == 12 and errors(app) == []


def test_data_opens_an_image_with_the_answers_of_a_run_that_goes_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AQUADASH_HOME", str(home))
    store, odd = open_store(), np.arange(1, 2500, 2)
    labels = data.load("synthetic").train.labels[odd]
    run = add_untrained(store, make_run(store), tmp_path)
    store.add_validation_predictions(run.run_id, Predictions(odd, labels, np.eye(5, dtype=np.float32)[labels]))
    store.update(run.run_id, status=RunStatus.STOPPED)
    live_runs.queue(store, run.run_id)
    app = open_app_page("data", source="synthetic", open="train-1")
    assert errors(app) == [] and any("recognised, 100 %" in each.value for each in app.markdown)
    assert "source=synthetic" in links(app)[0] and "open=train-1" in links(app)[0]
    assert all(int(text.split(",")[0].split()[-1]) % 2 == 0 for text in list_of(app, "Nearest training images"))


def test_what_is_missing_of_an_image_gives_a_message_and_an_address_that_names_none_a_note(shelf: Shelf) -> None:
    app = opened(shelf["without"], "test-1")
    assert any("recognised" in each.value for each in app.markdown), "the stored answer is there without a network"
    assert len(errors(app)) == 1
    assert "There is no image 500" in errors(opened(shelf["run"], "test-500"))[0]
    assert "has changed since this run was trained" in errors(opened(shelf["changed"], "test-1"))[0]
    app = opened(shelf["without"], "<b>")
    assert any("such as test-12" in each.value for each in app.info)
    assert address_of(app, "open") is None


@pytest.mark.parametrize("text", ["12", "test-", "test--1", "test-²", "<b>", "train-12345678", "", None, 7])
def test_an_image_has_one_name_and_nothing_else_is_one(text: object) -> None:
    assert image_name("train-007") == "train-7" and image_name("test-12") == "test-12"
    with pytest.raises(ValueError):
        image_name(text)


@pytest.mark.slow
def test_explanations_are_cached_by_image_class_and_training_within_a_limit_of_bytes(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, images = shelf["run"], data.load("synthetic").test.images[:3]
    image_counts, large = list[int](), False
    explain_many = RemoteExplainer.explain_many

    def counted(self: RemoteExplainer, images: np.ndarray, *args: Any, **options: Any) -> Sequence[Explanation]:
        image_counts.append(len(images))
        made = explain_many(self, images, *args, **options)
        # 60 MB each, of which the cache holds one.
        return [replace(each, image=np.broadcast_to(np.uint8(0), (5000, 4000, 3))) for each in made] if large else made

    monkeypatch.setattr(RemoteExplainer, "explain_many", counted)
    first = explanations.explained(run, images[:2], [0, 1], method="grad-cam")
    again = explanations.explained(run, images, [0, 1, 1], method="grad-cam")
    explanations.explained(run, images[:1], [1], method="grad-cam")
    assert image_counts == [2, 1, 1]
    assert first == again[:2] and [e.class_index for e in again] == [0, 1, 1]
    explanations.explained(replace(run, ended_at=(run.ended_at or 0) + 1), images[:1], [0], method="grad-cam")
    assert image_counts == [2, 1, 1, 1], "a network that was trained further answers for itself"
    large = True
    for label in (2, 3, 2):
        explanations.explained(run, images[:1], [label], method="grad-cam")
    assert image_counts == [2, 1, 1, 1, 1, 1, 1], "the cache is limited by the bytes of images and maps"


@pytest.mark.slow
def test_a_confusion_cell_leads_to_the_maps_of_its_images(shelf: Shelf) -> None:
    run = shelf["run"]
    app = open_app_page("evaluate", run=run.run_id, true="otter", predicted="seal")
    app.button(key="explain-cell").click().run()
    assert not app.exception and not app.error
    assert (address_of(app, "section"), address_of(app, "explain-all")) == ("explain", "1")
    number = len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])
    assert sum(text.startswith("An image of otter and its map: Grad-CAM for ") for text in alternatives(app)) == number
    assert f"all {number} images" in app.toggle(key="explain-all").label
    assert app.segmented_control(key="section-group").value == "Why"
    assert "explain-cell" not in buttons(open_app_page("evaluate", run=run.run_id))
