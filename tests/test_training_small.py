"""The small parts of training: early stopping, random streams, pace."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aquadash.config import TrainingConfig
from aquadash.runs import EpochRecord
from aquadash.training.early_stopping import EarlyStopping
from aquadash.training.randomness import Purpose, derived_seed, epoch_order


def stop_epoch(losses: list[float], patience: int) -> tuple[int, int]:
    """The epoch after which it stops (the last if never), and the best epoch."""
    state = EarlyStopping(patience)
    for epoch, loss in enumerate(losses, start=1):
        state = state.after(epoch, loss)
        if state.should_stop:
            return epoch, state.best_epoch
    return len(losses), state.best_epoch


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("patience", [1, 3, 5])
def test_stops_when_keras_would(seed: int, patience: int) -> None:
    import keras

    losses = list(np.random.default_rng(seed).random(30).round(1))
    callback = keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.stop_training = False
    callback.set_model(model)
    callback.on_train_begin()
    stopped = len(losses)
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if callback.model.stop_training:
            stopped = epoch + 1
            break
    assert stop_epoch(losses, patience) == (stopped, callback.best_epoch + 1)


def test_patience_0_never_stops() -> None:
    assert stop_epoch([1.0] * 50, 0) == (50, 1)


def test_a_loss_that_is_not_a_number_is_never_the_best() -> None:
    assert stop_epoch([math.nan, 0.5, math.nan, math.nan], 2) == (4, 2)


def test_orders_are_permutations_that_differ_by_epoch_and_seed() -> None:
    orders = [epoch_order(seed, epoch, 100) for seed in (0, 1) for epoch in (1, 2)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert (epoch_order(3, 4, 100) == epoch_order(3, 4, 100)).all()


def test_every_purpose_has_a_stream_of_its_own() -> None:
    seeds = {derived_seed(0, purpose, position) for purpose in Purpose for position in range(10)}
    assert len(seeds) == 10 * len(Purpose)


@pytest.mark.parametrize(
    ("count", "batch_size", "drop", "visited"),
    [(10_625, 32, True, 10_624), (10_625, 32, False, 10_625), (64, 32, True, 64), (20, 32, True, 20)],
)
def test_a_last_batch_that_is_not_full_is_left_out(count: int, batch_size: int, drop: bool, visited: int) -> None:
    from aquadash.training.prepare import visited_images

    assert visited_images(TrainingConfig(batch_size=batch_size, drop_remainder=drop), count) == visited
    assert len(epoch_order(0, 1, count, keep=visited)) == visited


@pytest.mark.slow
def test_pace_counts_from_the_end_of_the_first_call() -> None:
    from aquadash.training.trainer import Pace

    now = iter([10.0, 11.0, 12.0])
    pace = Pace(TrainingConfig(epochs=3, batch_size=10), images=100, history=[], stopwatch=lambda: next(now))
    assert pace.progress(1, 10, now=0).images_per_second == 0  # The network was compiled meanwhile.
    second = pace.progress(3, 10, now=0)
    assert second.images_per_second == pytest.approx(20)
    assert second.eta_seconds == pytest.approx((3 - 0.3) * 100 / 20)
    assert pace.progress(5, 10, now=7).time == 7


@pytest.mark.slow
def test_eta_follows_the_median_of_the_last_epochs() -> None:
    from aquadash.training.trainer import Pace

    history = [EpochRecord(epoch, 1, 0, 1, 0, 0.01, seconds) for epoch, seconds in enumerate((90, 2, 2, 50, 2, 2), 1)]
    pace = Pace(TrainingConfig(epochs=10, batch_size=10), images=100, history=history)
    progress = pace.progress(5, 10, now=0)
    assert (progress.epoch, progress.eta_seconds) == (7, pytest.approx((10 - 7 + 0.5) * 2))
