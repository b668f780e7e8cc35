from __future__ import annotations

import math

import numpy as np
import pytest

from aquadash.config import TrainingConfig
from aquadash.runs import EpochRecord
from aquadash.training.schedules import SCHEDULES, learning_rates, plateau_cuts, preview


def rates(training: TrainingConfig, *, batches: int = 10) -> np.ndarray:
    """Every rate of a whole training, without a history."""
    return np.concatenate(
        [learning_rates(training, epoch=epoch, batches=batches, history=[]) for epoch in range(1, training.epochs + 1)]
    )


def history(*val_losses: float) -> list[EpochRecord]:
    return [
        EpochRecord(epoch, 1.0, 0.5, loss, 1 - loss / 10, 0.1, 1.0) for epoch, loss in enumerate(val_losses, start=1)
    ]


def test_every_choice_has_a_schedule() -> None:
    assert set(SCHEDULES) == set(TrainingConfig.model_fields["schedule"].annotation.__args__)


def test_constant_is_the_learning_rate_exactly() -> None:
    assert set(rates(TrainingConfig(learning_rate=0.01, epochs=3))) == {np.float32(0.01)}


def test_step_cuts_at_whole_epochs() -> None:
    training = TrainingConfig(learning_rate=1.0, epochs=6, schedule="step", schedule_epochs=2, schedule_factor=0.1)
    assert rates(training).reshape(6, 10) == pytest.approx(np.repeat([[1], [1], [0.1], [0.1], [0.01], [0.01]], 10, 1))


def test_exponential_is_one_cut_after_its_epochs() -> None:
    training = TrainingConfig(
        learning_rate=1.0, epochs=20, schedule="exponential", schedule_epochs=10, schedule_factor=0.5
    )
    epochs, curve = preview(training, points=21)
    assert (epochs[10], curve[10], curve[20]) == (10, pytest.approx(0.5), pytest.approx(0.25))
    assert np.allclose(np.diff(np.log(curve)), np.log(0.5) / 10)


def test_cosine_falls_from_the_peak_to_zero_after_the_warm_up() -> None:
    training = TrainingConfig(learning_rate=0.2, epochs=30, schedule="cosine", warmup_epochs=10)
    _, curve = preview(training, points=31)
    assert curve[5] == pytest.approx(0.1) and curve[10] == pytest.approx(0.2) and curve[20] == pytest.approx(0.1)
    assert curve[30] == pytest.approx(0.0, abs=1e-12)
    # No update of a real training is wasted on a rate of zero.
    assert rates(training).min() > 0


def test_one_cycle_rises_once_and_falls_to_almost_nothing() -> None:
    training = TrainingConfig(learning_rate=0.5, epochs=10, schedule="one_cycle")
    _, curve = preview(training, points=101)
    peak = int(np.argmax(curve))
    assert (peak, curve[peak]) == (30, pytest.approx(0.5))
    assert curve[0] == pytest.approx(0.5 / 25) and curve[-1] == pytest.approx(0.5 / 25 / 10_000)
    assert (np.diff(curve[: peak + 1]) > 0).all() and (np.diff(curve[peak:]) < 0).all()


def test_a_warm_up_longer_than_the_training_never_reaches_the_peak() -> None:
    for name in SCHEDULES:
        training = TrainingConfig(learning_rate=1.0, epochs=4, schedule=name, warmup_epochs=8)
        assert all(math.isfinite(rate) and 0 <= rate <= 0.5 for rate in rates(training))


def test_plateau_cuts_when_keras_would() -> None:
    import keras

    losses = [1.0, 0.9, 0.95, 0.93, 0.8, 0.85, 0.86, 0.87, 0.88, 0.7, math.nan, 0.75]
    training = TrainingConfig(
        learning_rate=1.0, schedule="plateau", schedule_epochs=2, schedule_factor=0.5, epochs=len(losses)
    )
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2, min_delta=0)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        past = history(*losses[: epoch + 1])
        next_rate = learning_rates(training, epoch=epoch + 2, batches=1, history=past)[0]
        assert next_rate == pytest.approx(float(model.optimizer.learning_rate)), epoch


def test_plateau_may_watch_accuracy() -> None:
    training = TrainingConfig(schedule="plateau", schedule_epochs=1, monitor="val_accuracy")
    assert plateau_cuts(training, history(0.5, 0.4, 0.3)) == 0
    assert plateau_cuts(training, history(0.5, 0.6, 0.7)) == 2
