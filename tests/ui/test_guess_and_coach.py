"""What stands beside a run: the student's guess before and after the end, and the coach's notes with their buttons."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.people import Person
from aquadash.store import EpochRecord, Guess, Predictions, Run, RunStatus, RunStore
from aquadash.store.artifacts import PREDICTIONS
from aquadash.store.transfer import IMPORTED
from aquadash.ui.kit import coach_notes, guess_box
from tests.coach.test_after import epochs, learning, overfitting, run, stopped
from tests.support.app_pages import run_script
from tests.support.lessons import join, look_as
from tests.support.runs import HOSTILE, make_run

GUESS = Guess(0.6, ("otter", "seal"))


def asking() -> AppTest:
    def page() -> None:
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
    return [box.value for box in run_script(guess_box.render_guess, run).info]


@pytest.fixture
def done(store: RunStore) -> Run:
    """Two of four right; an otter and a seal are taken for one another."""
    results = Predictions(np.arange(4), np.array([0, 1, 1, 2]), np.eye(3, dtype=np.float32)[[0, 1, 2, 1]])
    names = ("beaver", "otter", "seal")
    return make_run(store, predictions={"test": results}, class_names=names, dataset_fingerprint="f" * 64, guess=GUESS)


def test_the_guess_is_scored_once_the_run_has_ended_and_hostile_class_names_are_text(done: Run) -> None:
    (text,) = shown(replace(done, status=RunStatus.RUNNING))
    assert "60 % right" in text and "🎯" not in text
    (text,) = shown(done)
    assert text.count("🎯") == 2
    (text,) = shown(replace(done, guess=Guess(1.0, ("beaver", "seal"))))
    assert "📏" in text and "🔀" in text and "🎯" not in text
    hostile = Guess(confused_pair=(HOSTILE, "seal"))
    for status in (RunStatus.RUNNING, RunStatus.FINISHED):
        (text,) = shown(replace(done, guess=hostile, status=status))
        assert "<img" not in text.replace("\\<img", "") and ":red[" not in text
    assert "cannot be scored" in text


def test_a_guess_names_its_author(class_pages: None, done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (anna, annas), (_, bens) = join("Anna *x*"), join("Ben")
    of_anna = replace(done, owner=anna.person_id, owner_name=anna.name)
    for token, guessed, author in (
        (annas, of_anna, "Your guess"),
        (bens, of_anna, "Anna \\*x\\*'s guess"),
        (bens, done, "The teacher's guess"),
        (annas, replace(of_anna, origin=IMPORTED), "The guess"),
    ):
        look_as(monkeypatch, token)
        assert shown(guessed)[0].startswith(f"**{author}**")


def test_a_run_without_results_says_so(store: RunStore, done: Run) -> None:
    assert "no results to score it by" in shown(make_run(store, status=RunStatus.FAILED, guess=GUESS))[0]
    store.artifact(done.run_id, PREDICTIONS).write_bytes(b"damaged")
    assert "It cannot be scored. " in shown(done)[0] and "damaged" in shown(done)[0]


def coached(run: Run, history: Sequence[EpochRecord]) -> AppTest:
    return run_script(coach_notes.render_run_notes, run, history)


@pytest.mark.usefixtures("store", "no_engine")
def test_each_level_has_its_box_and_each_change_its_buttons() -> None:
    app = coached(run({"training.validation": "test"}), overfitting())
    assert [len(boxes) for boxes in (app.warning, app.info, app.success)] == [1, 1, 1]
    tried = [button for button in app.button if button.key.startswith("try-")]
    assert [button.key for button in tried] == [
        f"try-{key}-{'a' * 32}" for key in ("validation-on-test", "overfitting")
    ]
    labels = [each.proto.popover.label for each in app.get("popover")] + [each.label for each in app.button]
    assert len(set(labels)) == len(labels) == 3 + 2 + 2
    assert tried[0].label.startswith("Try this: Validation images: held out")


def test_no_click_exceeds_the_class_limit(anna: Person) -> None:
    one, history = run({"training.epochs": 12}), learning(12)
    for limit, launched in ((60, ["train-too-few-epochs"]), (23, []), (12, [])):
        limits.save(ClassLimits(epochs=limit))
        keys = [button.key for button in coached(one, history).button]
        assert [key for key in keys if key.startswith("train-")] == launched
        assert [key for key in keys if key.startswith("try-")], "the form can be filled all the same"


@pytest.mark.usefixtures("no_engine")
def test_hostile_class_names_are_text_and_damaged_results_leave_the_curves_notes(store: RunStore) -> None:
    """Every image of the first of two classes is taken for the other."""
    ignored = Predictions(np.arange(40), np.repeat([0, 1], 20), np.eye(2, dtype=np.float32)[[1] * 40])
    names = {"class_names": (HOSTILE, "otter"), "dataset_fingerprint": "f" * 64}
    done = make_run(store, predictions={"test": ignored}, **names)
    app = coached(done, epochs(5, lambda e: 0.2, lambda e: 0.2))
    text = next(box.value for box in app.info if "Hardly ever recognised" in box.value)
    assert "<img" not in text.replace("\\<img", "") and ":red[" not in text

    damaged = make_run(store, "damaged")
    store.artifact(damaged.run_id, PREDICTIONS).write_bytes(b"damaged")
    assert [note.key for note in coach_notes.notes_on(damaged, stopped(0.1))] == ["stopped-too-early", "all-well"]
