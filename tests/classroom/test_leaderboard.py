"""The board of a class: who has which place."""

from dataclasses import replace
from typing import Any

import pytest

from aquadash.classroom.leaderboard import MIN_IMAGES, Board, leaderboard, sources
from aquadash.config import RunConfig, with_values
from aquadash.evaluation.intervals import difference_interval, ranks
from aquadash.figures.leaderboard import leaderboard_chart
from aquadash.store import Run, RunStatus
from tests.support.runs import run_record

IMAGES = 500


def a_run(
    name: str, owner: str, validation: float, test: float = 0.5, *, source: str = "synthetic", **values: Any
) -> Run:
    metrics = {"val_accuracy": validation, "test_accuracy": test}
    defaults = {"ended_at": 100.0, "shared": False, "test_images": 500, "metrics": metrics, "created_at": 1.0}
    return run_record(
        name, {"data.source": source}, owner=owner * 32, owner_name=owner.upper(), **{**defaults, **values}
    )


def board(*runs: Run, **options: Any) -> Board:
    options.setdefault("validation_images", lambda run: IMAGES)
    return leaderboard(runs, source="synthetic", **options)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # The first two examples of his Table II: 56/70 against 48/80, 9/10 against 3/10.
    assert difference_interval((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert difference_interval((9, 10), (3, 10)) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_who_cannot_be_told_apart_shares_a_place() -> None:
    assert ranks([]) == []
    assert ranks([(400, 500), (395, 500), (300, 500), (298, 500), (100, 500)]) == [1, 1, 3, 3, 5]
    assert ranks([(4, 5), (1, 5)]) == [1, 1], "with five images nobody is clearly better"


def test_each_student_stands_there_once_with_the_best_run_by_validation() -> None:
    runs = a_run("a1", "a", 0.50, test=0.99), a_run("a2", "a", 0.70, test=0.10), a_run("b1", "b", 0.60, test=0.95)
    standings = board(*runs, names={"a" * 32: "Anna"})
    told = [(entry.name, entry.run.name, entry.tries) for entry in standings.entries]
    assert told == [("Anna", "a2", 2), ("B", "b1", 1)], "under their present names"
    assert standings.measured_on == "validation"
    assert [(entry.rank, entry.right, entry.images) for entry in standings.entries] == [(1, 350, 500), (2, 300, 500)]
    assert standings.entries[0].interval[0] < 0.7 < standings.entries[0].interval[1]


def test_nobody_climbs_by_what_the_test_images_say() -> None:
    runs = a_run("a1", "a", 0.50, test=0.50), a_run("b1", "b", 0.60, test=0.60), a_run("a2", "a", 0.49, test=1.00)
    shown = board(*runs, test_results=True)
    assert [(entry.run.name, entry.accuracy) for entry in shown.entries] == [("b1", 0.6), ("a1", 0.5)]
    assert shown.measured_on == "test"


def test_what_does_not_count_is_left_out() -> None:
    by_test_images = with_values(RunConfig(), {"training.validation": "test"})
    others = [
        replace(a_run("as in the report", "a", 0.9), config=by_test_images),
        a_run("teacher's", "t", 0.9, shared=True),
        a_run("hidden", "a", 0.9, hidden=True),
        a_run("imported", "a", 0.9, origin="a ZIP"),
        a_run("owner's", "", 0.9),
        a_run("running", "a", 0.9, status=RunStatus.RUNNING),
        a_run("failed", "a", 0.9, metrics={}),
        a_run("other images", "a", 0.9, source="cifar100"),
    ]
    assert board(*others).entries == ()
    assert sources(others) == ["cifar100"]
    few = {"few": MIN_IMAGES - 1, "unknown": None, "enough": MIN_IMAGES}
    runs = [a_run("few", "a", 0.99), a_run("unknown", "a", 0.98), a_run("enough", "a", 0.5)]
    standings = board(*runs, validation_images=lambda run: few[run.name])
    assert [entry.run.name for entry in standings.entries] == ["enough"]
    assert standings.uncounted == 2 and standings.entries[0].tries == 1


def test_of_images_that_were_replaced_under_their_name_no_run_counts() -> None:
    before = [a_run("a1", "a", 0.9, dataset_fingerprint="old"), a_run("b1", "b", 0.8, dataset_fingerprint="old")]
    after = replace(a_run("b2", "b", 0.5, dataset_fingerprint="new"), created_at=2.0)
    assert [entry.run.name for entry in board(after, *before).entries] == ["b2"]
    assert [entry.run.name for entry in board(*before).entries] == ["a1", "b1"]
    waited = a_run("a0", "a", 0.4, dataset_fingerprint="newest")
    for fingerprint, names in (("newest", ["a0"]), ("not tried yet", ["b2"])):
        standings = board(after, *before, waited, fingerprint=fingerprint)
        assert [entry.run.name for entry in standings.entries] == names


def test_the_chart_has_a_dot_a_student_and_says_it_in_words() -> None:
    standings = board(a_run("a1", "a", 0.70), a_run("b1", "b", 0.40))
    figure = leaderboard_chart(standings.entries, measured_on="validation", own="b" * 32)
    assert list(figure.data[0].x) == pytest.approx([70.0, 40.0])
    assert list(figure.data[0].marker.symbol) == ["circle", "star"]
    assert list(figure.layout.yaxis.ticktext) == ["1. A", "2. B"]
    assert "place 1 A" in figure.layout.meta["alt"] and "Validation accuracy" in figure.layout.meta["alt"]
    assert "The board is empty" in leaderboard_chart([], measured_on="test").layout.meta["alt"]
