"""The box in which a student guesses, and what is said of the guess before and after the end."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.store import Guess, Predictions, Run, RunStatus, RunStore
from aquadash.store.artifacts import PREDICTIONS
from aquadash.store.transfer import IMPORTED
from tests.support.app_pages import run_script
from tests.support.classrooms import join, look_as
from tests.support.runs import HOSTILE, make_run

GUESS = Guess(0.6, ("otter", "seal"))


def asking() -> AppTest:
    def page() -> None:
        import streamlit as st

        from aquadash.ui.kit import guess_box

        if not st.checkbox("elsewhere"):
            cars = (f"Automobile model year {year} side view" for year in (1998, 2004))
            st.session_state["guess"] = guess_box.guess_form((*cars, "otter", "seal"), key="g")

    return run_script(page)


def test_an_accuracy_alone_is_a_guess_that_outlasts_another_page() -> None:
    app = asking()
    assert app.session_state["guess"] is None
    app.number_input(key="g:accuracy").set_value(0).run()
    assert app.session_state["guess"] == Guess(0.0)
    app.checkbox[0].check().run()
    app.checkbox[0].uncheck().run()
    assert app.number_input(key="g:accuracy").value == 0


def test_a_mistake_needs_two_different_classes() -> None:
    app = asking()
    app.selectbox(key="g:true").set_value("otter").run()
    assert app.session_state["guess"] is None and "Choose both classes" in app.caption[-1].value
    options = app.selectbox(key="g:true").options
    assert len(set(options)) == 4, "two read alike when shortened"
    app.selectbox(key="g:predicted").set_value("seal").run()
    assert app.session_state["guess"] == Guess(confused_pair=("otter", "seal"))
    app.selectbox(key="g:true").set_value("seal").run()
    assert "Choose two different classes" in app.caption[-1].value and app.session_state["guess"] is None


def shown(run: Run) -> list[str]:
    def page(run) -> None:  # type: ignore[no-untyped-def]
        from aquadash.ui.kit import guess_box

        guess_box.render_guess(run)

    return [box.value for box in run_script(page, run).info]


@pytest.fixture
def done(store: RunStore) -> Run:
    """Two of four right; an otter and a seal are taken for one another."""
    results = Predictions(np.arange(4), np.array([0, 1, 1, 2]), np.eye(3, dtype=np.float32)[[0, 1, 2, 1]])
    names = ("beaver", "otter", "seal")
    return make_run(store, predictions={"test": results}, class_names=names, dataset_fingerprint="f" * 64, guess=GUESS)


def test_the_guess_is_scored_once_the_run_has_ended(done: Run) -> None:
    (text,) = shown(replace(done, status=RunStatus.RUNNING))
    assert "60 % right" in text and "🎯" not in text
    (text,) = shown(done)
    assert text.count("🎯") == 2
    (text,) = shown(replace(done, guess=Guess(1.0, ("beaver", "seal"))))
    assert "📏" in text and "🔀" in text and "🎯" not in text


def test_a_guess_names_its_author(class_pages: None, done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (anna, annas), (_, bens) = join("Anna *x*"), join("Ben")
    of_anna = replace(done, owner=anna.person_id, owner_name=anna.name)
    for token, run, author in (
        (annas, of_anna, "Your guess"),
        (bens, of_anna, "Anna \\*x\\*'s guess"),
        (bens, done, "The teacher's guess"),
        (annas, replace(of_anna, origin=IMPORTED), "The guess"),
    ):
        look_as(monkeypatch, token)
        assert shown(run)[0].startswith(f"**{author}**")


def test_a_run_without_results_says_so(store: RunStore, done: Run) -> None:
    assert "no results to score it by" in shown(make_run(store, status=RunStatus.FAILED, guess=GUESS))[0]
    store.artifact(done.run_id, PREDICTIONS).write_bytes(b"damaged")
    assert "It cannot be scored. " in shown(done)[0] and "damaged" in shown(done)[0]


def test_hostile_class_names_are_text(done: Run) -> None:
    hostile = Guess(confused_pair=(HOSTILE, "seal"))
    for status in (RunStatus.RUNNING, RunStatus.FINISHED):
        (text,) = shown(replace(done, guess=hostile, status=status))
        assert "<img" not in text.replace("\\<img", "") and ":red[" not in text
    assert "cannot be scored" in text
