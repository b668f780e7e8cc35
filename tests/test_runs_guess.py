"""A guess is kept with its run, before its end, and never in the way of the run."""

from __future__ import annotations

import pytest

from aquadash.config import RunConfig
from aquadash.errors import RunError
from aquadash.runs import Guess, RunStatus, RunStore
from aquadash.runs import tags as tag
from tests import live_runs


def test_a_run_has_no_guess_until_somebody_makes_one(store: RunStore) -> None:
    run = live_runs.queue(store, store.create(RunConfig(), name="mine").run_id)
    assert run.guess is None
    for guess in (Guess(0.6, ("otter", "seal")), Guess(0.0), Guess(confused_pair=("<b>a</b>", "b, c"))):
        store.set_guess(run.run_id, guess)
        assert store.get(run.run_id).guess == guess
    assert store.list_runs()[0].guess == guess


def test_a_guess_comes_before_the_end(store: RunStore) -> None:
    run = live_runs.queue(store, store.create(RunConfig(), name="mine").run_id)
    job = live_runs.start(store, run.run_id)
    store.set_guess(run.run_id, Guess(0.6))
    live_runs.end(store, job, RunStatus.FINISHED)
    with pytest.raises(RunError, match="before a run ends"):
        store.set_guess(run.run_id, Guess(0.9))
    assert store.get(run.run_id).guess == Guess(0.6)


@pytest.mark.parametrize(
    ("accuracy", "pair", "told"),
    [
        (None, None, "empty"),
        (1.2, None, "120 %"),
        (-0.1, None, "0 to 100 %"),
        (float("nan"), None, "0 to 100 %"),
        (None, ("otter", "otter"), "two different ones"),
        (None, ("", "otter"), "two different ones"),
    ],
)
def test_what_is_no_guess_is_refused(accuracy: float | None, pair: tuple[str, str] | None, told: str) -> None:
    with pytest.raises(RunError, match=told):
        Guess(accuracy, pair)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "3",
        '{"accuracy": 7}',
        '{"accuracy": "x", "confused_pair": null}',
        '{"accuracy": 1, "confused_pair": ["a"]}',
    ],
)
def test_a_guess_that_cannot_be_read_does_not_hide_the_run(store: RunStore, text: str) -> None:
    run = store.create(RunConfig(), name="mine")
    store.set_tags(run.run_id, "spoil the guess", {tag.GUESS: text})
    assert store.get(run.run_id).name == "mine" and store.get(run.run_id).guess is None
