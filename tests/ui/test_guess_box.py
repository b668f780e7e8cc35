"""The box in which a student guesses, and what is said of the guess before and after the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from aquadash.config import RunConfig
from aquadash.errors import StorageError
from aquadash.evaluation import evaluate
from aquadash.lab.runs import Runs
from aquadash.store import Guess, Run, RunStatus
from aquadash.store.transfer import IMPORTED
from aquadash.ui.kit import guess_box
from tests.support.app_pages import run_script
from tests.support.lessons import ANNA, BEN
from tests.support.runs import HOSTILE

RUN = Run("a" * 32, "mine", RunStatus.FINISHED, RunConfig(), 0.0, guess=Guess(0.6, ("otter", "seal")))
DONE = replace(RUN, metrics={"test_accuracy": 0.5})


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
def results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four right; an otter and a seal are taken for one another."""
    found = evaluate([0, 1, 1, 2], np.eye(3)[[0, 1, 2, 1]], class_names=("beaver", "otter", "seal"))
    monkeypatch.setattr(Runs, "evaluation", staticmethod(lambda run_id: found))


def test_the_guess_is_scored_once_the_run_has_ended(results: None) -> None:
    (text,) = shown(replace(DONE, status=RunStatus.RUNNING))
    assert "60 % right" in text and "🎯" not in text
    (text,) = shown(DONE)
    assert text.count("🎯") == 2
    (text,) = shown(replace(DONE, guess=Guess(1.0, ("beaver", "seal"))))
    assert "📏" in text and "🔀" in text and "🎯" not in text


def test_a_guess_names_its_author(results: None, monkeypatch: pytest.MonkeyPatch) -> None:
    of_anna = replace(DONE, owner=ANNA.person_id, owner_name="Anna *x*")
    for person, run, author in (
        (ANNA, of_anna, "Your guess"),
        (BEN, of_anna, "Anna \\*x\\*'s guess"),
        (BEN, DONE, "The teacher's guess"),
        (ANNA, replace(of_anna, origin=IMPORTED), "The guess"),
    ):
        monkeypatch.setattr(guess_box, "visitor", lambda: person)  # noqa: B023
        assert shown(run)[0].startswith(f"**{author}**")


def test_a_run_without_results_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no results to score it by" in shown(replace(RUN, status=RunStatus.FAILED))[0]

    def damaged(run_id: str) -> None:
        raise StorageError("The predictions of this run are damaged.")

    monkeypatch.setattr(Runs, "evaluation", staticmethod(damaged))
    assert "It cannot be scored. The predictions of this run are damaged." in shown(DONE)[0]


@pytest.mark.usefixtures("results")
def test_hostile_class_names_are_text() -> None:
    hostile = Guess(confused_pair=(HOSTILE, "seal"))
    for status in (RunStatus.RUNNING, RunStatus.FINISHED):
        (text,) = shown(replace(DONE, guess=hostile, status=status))
        assert "<img" not in text.replace("\\<img", "") and ":red[" not in text
    assert "cannot be scored" in text
