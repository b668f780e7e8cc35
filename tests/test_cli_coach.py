"""``coach`` and guesses on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash.cli.train import read_guess
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.runs import Guess, RunStatus, RunStore
from tests.test_cli import answer, call, refusal
from tests.ui_runs import ended, finished, queued


def test_notes_with_their_evidence_and_changes(store: RunStore) -> None:
    run = finished(store, "mine", {"training.validation": "test"})
    said = answer("coach", "mine")
    assert said["run_id"] == run.run_id and said["name"] == "mine"
    note = next(note for note in said["notes"] if note["key"] == "validation-on-test")
    assert set(note) == {"key", "level", "title", "evidence", "changes"}
    assert (note["level"], note["changes"]) == ("warning", {"training.validation": "training"})
    text = call("coach", "mine").stdout
    assert "warning: Test images decide" in text and "Try --set training.validation=training (was test)" in text


def test_a_run_without_results_or_epochs(store: RunStore) -> None:
    queued(store, "waiting")
    assert answer("coach", "waiting")["notes"] == []
    assert "nothing to say yet" in call("coach", "waiting").stdout
    ended(store, "broken", RunStatus.FAILED, message="The loss became nan in epoch 1: ...")
    assert [note["key"] for note in answer("coach", "broken")["notes"]] == ["broke-down"]
    assert "run" in refusal("coach", "nobody")


def test_a_guess_and_its_score_are_shown(store: RunStore) -> None:
    run = queued(store, "mine")
    assert answer("runs", "show", "mine")["guess"] is None
    store.set_guess(run.run_id, Guess(0.6, ("otter", "seal")))
    assert answer("runs", "show", "mine")["guess"] == {
        "accuracy": 0.6,
        "confused_pair": ["otter", "seal"],
        "score": None,
    }

    done = finished(store, "done", guess=Guess(0.6, ("otter", "seal")), right=0.6)
    shown = answer("runs", "show", "done")["guess"]["score"]
    assert shown["accuracy"]["spot_on"] is True
    assert shown["confused_pair"]["count"] > 0
    text = call("runs", "show", "done").stdout
    assert "Your guess of the accuracy. Spot on: you said 60 %" in text and "Your guess of the mistake." in text
    assert done.guess == Guess(0.6, ("otter", "seal"))


def test_a_guess_of_classes_that_are_gone_has_no_score(store: RunStore) -> None:
    finished(store, "done", guess=Guess(confused_pair=("cat", "dog")))
    assert answer("runs", "show", "done")["guess"] == {
        "accuracy": None,
        "confused_pair": ["cat", "dog"],
        "score": None,
    }


def test_what_is_typed_becomes_a_guess(home: Path) -> None:
    assert read_guess(None, None, RunConfig()) is None
    assert read_guess(62.5, None, RunConfig()) == Guess(0.625)
    assert read_guess(0, "otter, seal", RunConfig()) == Guess(0.0, ("otter", "seal"))


def test_names_of_classes_may_hold_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from aquadash import data

    monkeypatch.setattr(data, "load", lambda source: SimpleNamespace(class_names=("a,b", "c")))
    assert read_guess(None, "a,b,c", RunConfig()) == Guess(confused_pair=("a,b", "c"))
    assert read_guess(None, "c,a,b", RunConfig()) == Guess(confused_pair=("c", "a,b"))
    with pytest.raises(AquaDashError, match="The classes are a,b, c"):
        read_guess(None, "a,c", RunConfig())


def test_a_bad_guess_is_refused_before_anything_is_trained(home: Path, store: RunStore) -> None:
    assert "Write 60 for 60 %" in refusal("train", "--guess-accuracy", "0.6")
    assert "0 to 100 %" in refusal("train", "--guess-accuracy", "160")
    assert "TRUE,PREDICTED" in refusal("train", "--guess-pair", "otter")
    assert "'cat', which is not there" in refusal("train", "--guess-pair", "otter,cat")
    assert "two different ones" in refusal("train", "--guess-pair", "otter,otter")
    assert store.list_runs() == []
