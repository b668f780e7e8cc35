"""The seconds of an epoch, by the runs that have finished here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aquadash.config import with_values
from aquadash.runs import Run, RunStatus
from aquadash.runs.pace import GUESSED_SECONDS, Paces
from tests.lessons import SHORT


def finished(name: str, seconds: float, epochs: float = 10, *, of: object = None, **values: object) -> Run:
    """A run that took so many seconds in all, with settings that differ from the others'."""
    run = Run(name * 32, name, RunStatus.FINISHED, with_values(SHORT, of or {}), 0.0, ended_at=1.0)
    return replace(run, metrics={"seconds": seconds, "epochs": epochs}, **values)  # type: ignore[arg-type]


def test_the_nearest_kind_of_run_tells_the_pace() -> None:
    assert Paces([]).known(SHORT) is None and Paces([]).of(SHORT)[0] == GUESSED_SECONDS
    slow = finished("a", 100, of={"training.batch_size": 8})
    assert Paces([slow]).of(SHORT) == (10.0, "earlier runs with the same network and images")
    known = [slow, *(finished(name, each) for name, each in (("b", 10), ("c", 30), ("d", 20)))]
    assert Paces(known).of(SHORT) == (2.0, "earlier runs with the same network, images and augmentation")
    other_images = with_values(SHORT, {"data.source": "cifar100"})
    assert Paces(known).of(other_images)[1] == "earlier runs with the same network"
    other_network = with_values(SHORT, {"model.name": "backbone"})
    assert "a guess" in Paces(known).of(other_network)[1]


def test_settings_that_change_no_epoch_make_no_other_kind() -> None:
    paces = Paces([finished("a", 20)])
    changes = {"training.epochs": 3, "training.learning_rate": 0.5, "seed": 9, "model.dropout": 0.1, "model.l2": 0.01}
    assert paces.known(with_values(SHORT, changes)) == paces.known(SHORT)


def test_a_network_of_other_sizes_is_another_one() -> None:
    own = {"model.name": "cnn", "model.filters": (8,)}
    paces = Paces([finished("a", 20, of=own)])
    assert paces.known(with_values(SHORT, own)) is not None
    assert paces.known(with_values(SHORT, own | {"model.filters": (256, 256)})) is None


def test_runs_with_more_images_of_each_take_longer() -> None:
    plain, five = {"augmentation.pipeline": "none"}, {"augmentation.pipeline": "notebook"}
    (seconds, basis) = Paces([finished("a", 50, of=five)]).of(with_values(SHORT, plain))
    assert seconds == pytest.approx(1.0) and basis == "earlier runs with the same network and images"
    assert Paces([finished("a", 10, of=plain)]).of(with_values(SHORT, five))[0] == pytest.approx(5.0)
    gone = {"augmentation.pipeline": "gone"}
    assert Paces([finished("a", 20, of=gone)]).of(with_values(SHORT, plain))[0] == 2.0


@pytest.mark.parametrize(
    "useless",
    [
        finished("a", 100, origin="imported"),
        finished("a", 0),
        finished("a", 100, 0),
        finished("a", 100, status=RunStatus.RUNNING),
    ],
)
def test_runs_that_tell_no_pace_are_passed_over(useless: Run) -> None:
    assert Paces([useless]).known(SHORT) is None
