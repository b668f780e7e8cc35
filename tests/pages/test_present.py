import pytest
from streamlit.testing.v1 import AppTest

from aquadash.config import with_values
from aquadash.lab import memory
from aquadash.store import Run, RunStore
from aquadash.ui.kit.text import plain
from tests.support.app_pages import address_of, html, open_app_page, words
from tests.support.runs import HOSTILE, make_run

pytestmark = pytest.mark.usefixtures("no_engine")


@pytest.fixture
def run(store: RunStore) -> Run:
    return make_run(store, note="What we learned.")


def screen(run: Run, number: object = 1) -> AppTest:
    return open_app_page("evaluate", run=run.run_id, present=str(number))


def titles(run: Run) -> list[str]:
    headings = []
    app = screen(run)
    while True:
        headings.append(app.header[0].value)
        assert not app.error
        on = app.button(key="present-on")
        if on.disabled:
            return headings
        app = on.click().run()


def test_every_screen_shows_one_idea_and_nothing_to_change_and_keys_leaf(run: Run) -> None:
    headings = titles(run)
    assert headings[0] == "mine" and len(headings) == len(set(headings)) == 9
    app = screen(run, 4)
    assert "aqua-figure'>" in html(app) and not app.title
    assert "test images, which it had never seen." in app.markdown[-1].value
    controls = (*app.selectbox, *app.text_input, *app.multiselect, *app.segmented_control, *app.number_input)
    assert not controls
    shortcuts = {str(button.key): button.proto.shortcut.lower() for button in app.button}
    assert shortcuts == {"present-back": "left", "present-on": "right", "present-leave": "escape"}
    app = app.button(key="present-back").click().run()
    assert address_of(app, "present") == "3"
    # A number outside the talk opens its last or first screen.
    assert [screen(run, number).header[0].value for number in (99, "x")] == [headings[-1], headings[0]]


def test_test_images_that_decided_when_to_stop_are_not_called_unseen(store: RunStore) -> None:
    run = make_run(store, settings={"training.validation": "test"})
    said = screen(run, 4).markdown[-1].value
    assert (
        "of which 400 decided when to stop, so the accuracy is probably too high." in said and "never seen" not in said
    )
    nothing = with_values(run.config, {"training.patience": 0, "training.restore_best_weights": False})
    store.update(run.run_id, config=nothing.model_dump(mode="json"))
    memory.refresh()
    evaluate = open_app_page("evaluate", run=run.run_id)
    assert "400 of the 500 test images were its validation images.**" in evaluate.warning[0].value


def test_the_beginning_of_an_id_is_enough_and_names_and_notes_are_text(store: RunStore) -> None:
    run = make_run(store, HOSTILE, note=HOSTILE)
    make_run(store, "another")
    app = open_app_page("evaluate", run=run.run_id[:8], present="1")
    assert not app.error and app.header[0].value == plain(HOSTILE)
    assert plain(HOSTILE) in [box.value for box in app.markdown]


def test_a_talk_without_a_run_or_results_can_be_left(run: Run, store: RunStore) -> None:
    predictions = store.artifact(run.run_id, "predictions.npz")
    assert predictions is not None
    predictions.write_bytes(b"damaged")
    for query in ({}, {"run": run.run_id}, {"run": "0" * 32}):
        app = open_app_page("evaluate", present="1", **query)
        assert app.error and app.button(key="present-leave")
    assert "no run" in app.error[0].value
    app.button(key="present-leave").click().run()
    assert not app.exception and app.title[0].value.endswith("Evaluate") and address_of(app, "present") is None


def test_evaluate_with_an_empty_store_offers_the_first_model(store: RunStore) -> None:
    app = open_app_page("evaluate")
    assert "no run to evaluate" in words(app) and not app.error and not app.metric
    app = app.button(key="show-first-model").click().run()
    assert not app.error and len(store.list_runs()) == 1
