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
from aquadash.runs import Guess, Run, RunStatus
from aquadash.runs.transfer import IMPORTED
from aquadash.ui.train import guess_box
from tests.app_pages import run_script
from tests.lessons import ANNA, BEN, TEACHER
from tests.stored_runs import HOSTILE

RUN = Run("a" * 32, "mine", RunStatus.FINISHED, RunConfig(), 0.0, guess=Guess(0.6, ("otter", "seal")))
DONE = replace(RUN, metrics={"test_accuracy": 0.5})


def asking() -> AppTest:
    def page() -> None:
        import streamlit as st

        from aquadash.ui.train import guess_box

        if not st.checkbox("elsewhere"):
            cars = (f"Automobile model year {year} side view" for year in (1998, 2004))
            st.session_state["guess"] = guess_box.guess_form((*cars, "otter", "seal"), key="g")

    return run_script(page)


def test_an_accuracy_alone_and_no_guess_before_it() -> None:
    app = asking()
    assert app.session_state["guess"] is None
    assert "25 %" in app.caption[0].value, "the guess of chance"
    for percent in (62, 0):
        app.number_input(key="g:accuracy").set_value(percent).run()
        assert app.session_state["guess"] == Guess(percent / 100)


def test_a_mistake_needs_two_different_classes() -> None:
    app = asking()
    app.selectbox(key="g:true").set_value("otter").run()
    assert app.session_state["guess"] is None
    assert "Choose both classes" in app.caption[-1].value
    options = app.selectbox(key="g:true").options
    assert len(set(options)) == 4, "two read alike when shortened"
    assert app.selectbox(key="g:predicted").options == options, "no menu moves"
    app.selectbox(key="g:predicted").set_value("seal").run()
    assert app.session_state["guess"] == Guess(confused_pair=("otter", "seal"))
    assert len(app.caption) == 1
    app.selectbox(key="g:true").set_value("seal").run()
    assert not app.exception
    assert "Choose two different classes" in app.caption[-1].value and app.session_state["guess"] is None


def test_what_was_chosen_is_there_again_after_another_page() -> None:
    app = asking()
    app.number_input(key="g:accuracy").set_value(62).run()
    app.selectbox(key="g:true").set_value("otter").run()
    app.checkbox[0].check().run()
    assert not app.selectbox
    app.checkbox[0].uncheck().run()
    assert (app.number_input(key="g:accuracy").value, app.selectbox(key="g:true").value) == (62, "otter")


def shown(run: Run) -> list[str]:
    def page(run) -> None:  # type: ignore[no-untyped-def]
        from aquadash.ui.train import guess_box

        guess_box.render_guess(run)

    return [box.value for box in run_script(page, run).info]


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of four right; an otter and a seal are taken for one another."""
    found = evaluate([0, 1, 1, 2], np.eye(3)[[0, 1, 2, 1]], class_names=("beaver", "otter", "seal"))
    monkeypatch.setattr(Runs, "evaluation", staticmethod(lambda run_id: found))


def test_before_the_end_only_the_guess_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(run_id: str) -> None:
        raise AssertionError("looked at the results")

    monkeypatch.setattr(Runs, "evaluation", staticmethod(never))
    (text,) = shown(replace(DONE, status=RunStatus.RUNNING))
    assert text == (
        "**Your guess:** 60 % right; the most frequent mistake is otter taken for seal. It is scored when the run ends."
    )


@pytest.mark.usefixtures("results")
def test_after_the_end_both_parts_are_scored() -> None:
    (text,) = shown(DONE)
    assert "🎯 Spot on: guessed 60 %, it is 50 %" in text
    assert "🎯 Right: otter taken for seal is the most frequent mistake, together with 1 other" in text
    (text,) = shown(replace(DONE, guess=Guess(1.0, ("beaver", "seal"))))
    assert "📏 A surprise" in text and "🔀 Not this time" in text and "🎯" not in text


@pytest.mark.usefixtures("results")
def test_a_guess_is_said_to_be_somebody_else_s_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    of_anna = replace(DONE, owner=ANNA.person_id, owner_name="Anna *x*")
    of_teacher = replace(DONE, owner=TEACHER.person_id, owner_name=TEACHER.name)
    for person, run, whose in (
        (ANNA, of_anna, "Your guess"),
        (BEN, of_anna, "Anna \\*x\\*'s guess"),
        (BEN, DONE, "The teacher's guess"),
        (BEN, of_teacher, "Ms Tide's guess"),
        (ANNA, replace(of_anna, origin=IMPORTED), "The guess"),
        (BEN, replace(of_anna, origin=IMPORTED), "The guess"),
    ):
        monkeypatch.setattr(guess_box, "visitor", lambda: person)  # noqa: B023
        for status, text in ((RunStatus.FINISHED, f"**{whose}**"), (RunStatus.RUNNING, f"**{whose}:**")):
            (said,) = shown(replace(run, status=status))
            assert said.startswith(text) and " you" not in said.removeprefix(text).lower()


def test_a_run_without_results(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no results to score it by" in shown(replace(RUN, status=RunStatus.FAILED))[0]

    def damaged(run_id: str) -> None:
        raise StorageError("The predictions of this run are damaged.")

    monkeypatch.setattr(Runs, "evaluation", staticmethod(damaged))
    assert "It cannot be scored. The predictions of this run are damaged." in shown(DONE)[0]


@pytest.mark.usefixtures("results")
def test_a_class_of_another_data_set_and_hostile_names_are_text() -> None:
    hostile = Guess(confused_pair=(HOSTILE, "seal"))
    for status in (RunStatus.RUNNING, RunStatus.FINISHED):
        (text,) = shown(replace(DONE, guess=hostile, status=status))
        assert "<img" not in text.replace("\\<img", "") and ":red[" not in text
    assert "cannot be scored" in text
