"""Explanations of opened images and of the Evaluate page's, and what is kept of them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash import data
from aquadash.explain.explainer import RemoteExplainer
from aquadash.explain.results import Explanation
from aquadash.store import Run, RunStore
from aquadash.ui.kit import explainer
from tests.support.app_pages import address_notes, address_of, alternatives, buttons, html, open_app_page
from tests.support.explained_models import add_untrained
from tests.support.runs import OTTER, make_run

open_page = partial(open_app_page, "evaluate", section="explain")


pytestmark = pytest.mark.usefixtures("in_shared_home")


@pytest.fixture(scope="module")
def without(shared_store: RunStore) -> Run:
    """A run whose network is gone."""
    return make_run(shared_store)


@pytest.fixture(scope="module")
def run(shared_store: RunStore, without: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return add_untrained(shared_store, make_run(shared_store), tmp_path_factory.mktemp("network"))


def cards(app: AppTest, start: str) -> list[str]:
    """The text alternatives on the page that begin so."""
    return [text for text in alternatives(app) if text.startswith(start)]


@pytest.mark.slow
def test_an_image_is_explained_for_the_answer_and_the_true_class(run: Run) -> None:
    app = open_page(run=run.run_id, open="test-10")

    assert not app.error and len(cards(app, "Grad-CAM for ")) == 2
    assert "The answer. " in html(app) and "The true class. " in html(app)

    app.selectbox(key="why-method").set_value("integrated-gradients").run()
    assert address_of(app, "why-method") == "integrated-gradients"
    assert len(cards(app, "Integrated gradients for ")) == 2

    app.toggle(key="why-layers").set_value(True).run()
    assert address_of(app, "why-layers") == "1" and not app.exception
    assert len(cards(app, "Filter ")) == 32 and len(cards(app, "Channel ")) == 4 * 12


def test_the_address_of_an_older_version_opens_its_image(without: Run) -> None:
    app = open_page(run=without.run_id, explain="3")
    assert (address_of(app, "open"), address_of(app, "explain")) == ("test-3", None)
    (note,) = address_notes(open_page(run=without.run_id, explain="<b>x</b>"))
    assert "an image of the data set, such as test-12" in note


@pytest.mark.slow
def test_what_was_explained_once_is_not_worked_out_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    images = data.load("synthetic").test.images[:3]
    image_counts, large = list[int](), False
    explain_many = RemoteExplainer.explain_many

    def counted(self: RemoteExplainer, images: np.ndarray, *args: Any, **options: Any) -> Sequence[Explanation]:
        image_counts.append(len(images))
        made = explain_many(self, images, *args, **options)
        # 60 MB each, of which the cache holds one.
        return [replace(each, image=np.broadcast_to(np.uint8(0), (5000, 4000, 3))) for each in made] if large else made

    monkeypatch.setattr(RemoteExplainer, "explain_many", counted)
    first = explainer.explained(run, images[:2], [0, 1], method="grad-cam")
    again = explainer.explained(run, images, [0, 1, 1], method="grad-cam")
    other = explainer.explained(run, images[:1], [1], method="grad-cam")

    assert image_counts == [2, 1, 1]
    assert first == again[:2] and [e.class_index for e in again] == [0, 1, 1] and other[0].class_index == 1
    resumed = replace(run, ended_at=(run.ended_at or 0) + 1)
    explainer.explained(resumed, images[:1], [0], method="grad-cam")
    assert image_counts == [2, 1, 1, 1], "a network that was trained further answers for itself"
    large = True
    for label in (2, 3, 2):
        explainer.explained(run, images[:1], [label], method="grad-cam")
    assert image_counts == [2, 1, 1, 1, 1, 1, 1], "the cache is limited by the bytes of images and maps"


@pytest.mark.slow
def test_a_confusion_cell_leads_to_the_maps_of_its_images(run: Run) -> None:
    app = open_app_page("evaluate", run=run.run_id, true="otter", predicted="seal")
    app.button(key="explain-cell").click().run()
    assert not app.exception and not app.error
    assert (address_of(app, "section"), address_of(app, "explain-all")) == ("explain", "1")
    number = len(np.flatnonzero(data.load("synthetic").test.labels == OTTER)[::4])
    assert len(cards(app, "An image of otter and its map: Grad-CAM for ")) == number
    assert f"all {number} images" in app.toggle(key="explain-all").label
    assert app.segmented_control(key="section-group").value == "Why"
    assert "explain-cell" not in buttons(open_app_page("evaluate", run=run.run_id))
