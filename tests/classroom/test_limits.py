"""The limits of a class: kept, read again, and what they refuse to whom."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aquadash.classroom import limits
from aquadash.classroom.limits import ClassLimits
from aquadash.config import with_values
from aquadash.errors import ConfigError, NotAllowedError, StorageError
from aquadash.lab import Lab
from aquadash.lab.limits import Limits
from aquadash.people import OWNER
from aquadash.presets import PRESETS
from aquadash.search import stop_search
from aquadash.search.store import open_search_store
from aquadash.store import RunStatus
from aquadash.work.slots import held
from tests.cli.test_cli import answer, refusal
from tests.support.lessons import ANNA, BEN, TEACHER
from tests.support.search_fakes import plan

OTHER = ClassLimits(waiting_runs=None, epochs=30, searches=True, locked_pages=frozenset({"train"}), paused=True)


def test_limits_are_kept_and_another_process_hears_of_new_ones(home: Path) -> None:
    assert limits.load() == limits.in_force() == ClassLimits()
    limits.save(OTHER)
    assert limits.load() == limits.in_force() == OTHER
    assert [path.name for path in (home / "classroom").iterdir()] == ["limits.json"]
    # As another process would: the file is replaced as a whole.
    other = limits.path().with_suffix(".new")
    other.write_text(json.dumps({"of_another_version": 1, **ClassLimits(epochs=9).to_values()}))
    os.replace(other, limits.path())
    assert limits.in_force() == ClassLimits(epochs=9)


@pytest.mark.parametrize("text", ["", "[]", '{"epochs": "many"}', '{"locked_pages": ["trin"]}'])
def test_a_damaged_file_is_told_and_lifts_no_limit(home: Path, text: str) -> None:
    limits.path().parent.mkdir()
    limits.path().write_text(text)
    with pytest.raises(StorageError, match="limits.json is damaged"):
        limits.load()
    assert limits.in_force() == ClassLimits(), "what a class begins with, where none were ever read"
    limits.save(OTHER)
    assert limits.in_force() == OTHER
    limits.path().write_text(text)
    assert limits.in_force() == OTHER, "those that were read last go on to hold"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "limit epochs is '0': input should be greater than or equal to 1"),
        ({"epochs": "9"}, "limit epochs is '9': input should be a valid integer"),
        ({"epohs": 1}, "no limit called 'epohs'. Did you mean 'epochs'"),
        ({"locked_pages": ["trin"]}, "no page that can be locked called 'trin'. Did you mean 'train'"),
    ],
)
def test_what_cannot_be_a_limit_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        limits.from_values(values)


def test_the_command_shows_and_sets_them() -> None:
    def command(*arguments: str) -> dict[str, Any]:
        values: dict[str, Any] = answer("classroom", "limits", *arguments)["limits"]
        return values

    assert command() == ClassLimits().to_values()
    changed = command("--set", "epochs=none", "--set", "locked_pages=train, compare", "--set", "paused=yes")
    assert (changed["epochs"], changed["locked_pages"], changed["paused"]) == (None, ["compare", "train"], True)
    assert command() == changed
    assert command("--set", "locked_pages=none", "--set", "paused=no")["locked_pages"] == []
    assert "such as epochs=30" in refusal("classroom", "limits", "--set", "epochs")
    assert "no limit called 'nope'" in refusal("classroom", "limits", "--set", "nope=1")


@pytest.mark.parametrize(
    ("check", "most", "message"),
    [
        (lambda of, epochs: of.check_training(epochs, waiting=0), 60, "61 epochs; in this class a run may have 60"),
        (lambda of, waiting: of.check_training(1, waiting=waiting), 1, "You have 2 runs waiting; at most 2"),
        (lambda of, more: of.check_training(1, waiting=1, more=more), 1, "1 run waiting, and this would add 2"),
        (lambda of, size: of.check_upload(size), 20_000_000, "20.0 MB; in this class at most 20 MB"),
        (lambda of, have: of.check_data_sets(have), 4, "You keep 5 data sets already; in this class one may keep 5"),
    ],
)
def test_limits_hold_for_students_alone(check: Callable[[Limits, int], None], most: int, message: str) -> None:
    for person in (OWNER, TEACHER):
        check(Limits(person), most + 1)
    check(Limits(ANNA), most)
    with pytest.raises(NotAllowedError, match=message):
        check(Limits(ANNA), most + 1)
    limits.save(ClassLimits(**dict.fromkeys(("waiting_runs", "epochs", "upload_megabytes", "data_sets"))))
    check(Limits(ANNA), most + 1)


def test_students_start_from_a_preset_with_a_seed_of_their_own_and_within_the_limit_of_epochs() -> None:
    preset = PRESETS["notebook-fixed"].config
    assert Limits(OWNER).fitted(preset) == Limits(TEACHER).fitted(preset) == preset
    annas, bens = (Limits(person).fitted(preset) for person in (ANNA, BEN))
    assert annas.training.epochs == ClassLimits().epochs and Limits(ANNA).fitted(preset) == annas
    assert len({annas.seed, bens.seed, preset.seed}) == 3
    assert with_values(annas, {"seed": bens.seed}) == bens, "nothing else differs"


def test_students_search_only_where_the_teacher_lets_them() -> None:
    for values, over, refused in (
        ({}, (), "only the teacher starts them"),
        ({"searches": True, "epochs": 10}, (), "20 epochs; in this class"),
        ({"searches": True, "epochs": 20}, ("training.epochs=10..30",), "30 epochs; in this class"),
    ):
        limits.save(ClassLimits(**values))
        with pytest.raises(NotAllowedError, match=refused):
            Lab(ANNA).searches.start(plan(*over))
    assert Lab(OWNER).searches.all() == []


@pytest.mark.parametrize(
    ("limit", "refusal"),
    [({"epochs": 10}, "20 epochs; in this class"), ({"waiting_runs": 0}, "lets nobody start a training just now")],
)
def test_students_continue_searches_within_the_limits_of_now_only(limit: dict[str, int], refusal: str) -> None:
    mine = open_search_store().submit(plan(), owner=ANNA)
    stop_search(mine)
    limits.save(ClassLimits(searches=True, **limit))
    for trials in (None, 50):
        with pytest.raises(NotAllowedError, match=refusal):
            Lab(ANNA).searches.resume(mine, trials=trials)
    kept = open_search_store().get(mine)
    assert kept.status is RunStatus.STOPPED and kept.plan == plan()


def test_the_queue_of_a_class_alone_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    limits.save(ClassLimits(paused=True))
    assert not held()
    with limits.served():
        assert held(), "a command beside the app of the class"
        limits.save(ClassLimits())
        assert not held()
        limits.save(ClassLimits(paused=True))
    assert not held()
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    assert held()
