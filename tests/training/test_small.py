"""The small parts of training: stopping, random streams, losses, rates, the processor, mixed images, less work."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from aquadash.config import RunConfig, TrainingConfig, with_values
from aquadash.errors import ConfigError
from aquadash.store import EpochRecord
from aquadash.training import hardware
from aquadash.training.epoch_loop import EpochLoop, ParameterGroup
from aquadash.training.faster import OnePassSGD, as_saved, with_less_work
from aquadash.training.losses import Losses, balanced_weights
from aquadash.training.mixing import Mixes, draw_mixes, mix
from aquadash.training.prepare import visited_images
from aquadash.training.randomness import Purpose, derived_seed, epoch_order
from aquadash.training.schedules import SCHEDULES, EarlyStopping, learning_rates, plateau_cuts, preview
from aquadash.training.trainer import Pace


def stop_epoch(losses: list[float], patience: int) -> tuple[int, int]:
    """The epoch after which it stops (the last if never), and the best epoch."""
    state = EarlyStopping(patience)
    for epoch, loss in enumerate(losses, start=1):
        state = state.after(epoch, loss)
        if state.should_stop:
            return epoch, state.best_epoch
    return len(losses), state.best_epoch


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("patience", [1, 3, 5])
def test_stops_when_keras_would(seed: int, patience: int) -> None:
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


def test_patience_0_never_stops_and_nan_is_never_the_best() -> None:
    assert stop_epoch([1.0] * 50, 0) == (50, 1)
    assert stop_epoch([math.nan, 0.5, math.nan, math.nan], 2) == (4, 2)


def test_orders_are_permutations_that_differ_by_epoch_and_seed_and_each_purpose_has_its_own_stream() -> None:
    orders = [epoch_order(seed, epoch, 100) for seed in (0, 1) for epoch in (1, 2)]
    assert all(sorted(order) == list(range(100)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    assert (epoch_order(3, 4, 100) == epoch_order(3, 4, 100)).all()
    seeds = {derived_seed(0, purpose, position) for purpose in Purpose for position in range(10)}
    assert len(seeds) == 10 * len(Purpose)


@pytest.mark.parametrize(
    ("count", "batch_size", "drop", "visited"),
    [(10_625, 32, True, 10_624), (10_625, 32, False, 10_625), (64, 32, True, 64), (20, 32, True, 20)],
)
def test_a_last_batch_that_is_not_full_is_left_out(count: int, batch_size: int, drop: bool, visited: int) -> None:
    assert visited_images(TrainingConfig(batch_size=batch_size, drop_remainder=drop), count) == visited
    assert len(epoch_order(0, 1, count, keep=visited)) == visited


@pytest.mark.slow
def test_pace_counts_from_the_end_of_the_first_call() -> None:
    now = iter([10.0, 11.0])
    config = with_values(RunConfig(), {"training.epochs": 3, "training.batch_size": 10})
    pace = Pace(config, images=100, history=[], stopwatch=lambda: next(now))
    assert pace.progress(1, 10).images_per_second == 0  # The network was compiled meanwhile.
    second = pace.progress(3, 10)
    assert second.images_per_second == pytest.approx(20)
    assert second.eta_seconds == pytest.approx((3 - 0.3) * 100 / 20)


LABELS = np.array([0, 0, 0, 1])
PROBABILITIES = tf.constant([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])


def losses(**settings: object) -> tuple[float, float]:
    """Of the batch above, in training and in validation."""
    both, labels = Losses(TrainingConfig(**settings), LABELS, num_classes=3), tf.constant(LABELS, tf.int32)
    return float(both.training(labels, PROBABILITIES)), float(both.validation(labels, PROBABILITIES))


def test_training_smooths_and_weighs_the_cross_entropy_and_validation_does_not() -> None:
    cross_entropy = -np.log([0.7, 0.5, 0.2, 0.8])
    assert losses() == pytest.approx([cross_entropy.mean()] * 2, rel=1e-5)
    targets = np.eye(3)[LABELS] * 0.7 + 0.1
    smoothed = -(targets * np.log(PROBABILITIES.numpy())).sum(axis=1).mean()
    assert losses(label_smoothing=0.3) == pytest.approx([smoothed, cross_entropy.mean()], rel=1e-5)
    weights = balanced_weights(LABELS, num_classes=3)
    assert weights == pytest.approx([4 / 6, 2.0, 0.0])
    weighted = (weights[LABELS] * cross_entropy).mean()
    assert losses(class_weights="balanced") == pytest.approx([weighted, cross_entropy.mean()], rel=1e-5)


def rates(training: TrainingConfig, *, batches: int = 10) -> np.ndarray:
    """Every rate of a whole training, without a history."""
    return np.concatenate(
        [learning_rates(training, epoch=epoch, batches=batches, history=[]) for epoch in range(1, training.epochs + 1)]
    )


def history(*val_losses: float) -> list[EpochRecord]:
    return [EpochRecord(epoch, 1.0, 0.5, loss, 1 - loss / 10, 0.1, 1.0) for epoch, loss in enumerate(val_losses, 1)]


def test_constant_is_the_learning_rate_exactly_and_step_cuts_at_whole_epochs() -> None:
    assert set(rates(TrainingConfig(learning_rate=0.01, epochs=3))) == {np.float32(0.01)}
    training = TrainingConfig(learning_rate=1.0, epochs=6, schedule="step", schedule_epochs=2, schedule_factor=0.1)
    assert rates(training).reshape(6, 10) == pytest.approx(np.repeat([[1], [1], [0.1], [0.1], [0.01], [0.01]], 10, 1))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"schedule": "exponential", "schedule_epochs": 10, "schedule_factor": 0.5},
            {0: 1, 5: 0.5**0.5, 10: 0.5, 20: 0.25},
        ),
        ({"schedule": "cosine", "warmup_epochs": 10, "epochs": 30}, {0: 0, 5: 0.5, 10: 1, 20: 0.5, 30: 0}),
        ({"schedule": "one_cycle"}, {0: 1 / 25, 3: (1 + 1 / 25) / 2, 6: 1, 20: 1 / 250_000}),
    ],
)
def test_a_preview_rises_to_its_peak_and_falls(settings: dict[str, Any], expected: dict[int, float]) -> None:
    training = TrainingConfig(**{"learning_rate": 0.5, "epochs": 20, **settings})
    epochs, curve = preview(training, points=training.epochs + 1)
    assert epochs == list(range(training.epochs + 1))
    assert {epoch: curve[epoch] / 0.5 for epoch in expected} == pytest.approx(expected)
    peak = int(np.argmax(curve))
    assert (np.diff(curve[: peak + 1]) > 0).all() and (np.diff(curve[peak:]) < 0).all()
    # No update of a real training is wasted on a rate of zero.
    assert rates(training).min() > 0


def test_a_warm_up_longer_than_the_training_never_reaches_the_peak() -> None:
    assert set(SCHEDULES) == set(TrainingConfig.model_fields["schedule"].annotation.__args__)
    for name in SCHEDULES:
        training = TrainingConfig(learning_rate=1.0, epochs=4, schedule=name, warmup_epochs=8)
        assert all(math.isfinite(rate) and 0 <= rate <= 0.5 for rate in rates(training))


def test_plateau_cuts_when_keras_would() -> None:
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
    of_accuracy = TrainingConfig(schedule="plateau", schedule_epochs=1, monitor="val_accuracy")
    assert plateau_cuts(of_accuracy, history(0.5, 0.4, 0.3)) == 0
    assert plateau_cuts(of_accuracy, history(0.5, 0.6, 0.7)) == 2


@pytest.fixture
def cpu_info(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the path of Linux's description of the processor, which is not there yet."""
    monkeypatch.setattr(hardware, "CPU_INFO", tmp_path / "cpuinfo")
    hardware.multiplies_bfloat16.cache_clear()
    yield hardware.CPU_INFO
    hardware.multiplies_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("processor: 0\nflags\t\t: fpu sse amx_bf16 avx2\n", "mixed_bfloat16"),
        ("flags\t\t: fpu sse avx2 not_amx_bf16_at_all\n", "float32"),
        (None, "float32"),
    ],
)
def test_auto_takes_bfloat16(info: str | None, expected: str, cpu_info: Path) -> None:
    if info is not None:
        cpu_info.write_text(info)
    assert hardware.precision(TrainingConfig(precision="auto")) == expected
    assert hardware.precision(TrainingConfig(precision="float32")) == "float32"
    assert hardware.precision(TrainingConfig(precision="mixed_bfloat16")) == "mixed_bfloat16"


def test_last_digits_depend_on_device_and_libraries(cpu_info: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def named(*, device: str = "auto", flags: str = "fpu avx2", hertz: int = 2000) -> str:
        cpu_info.write_text(f"model name\t: Any\ncpu MHz\t\t: {hertz}\nflags\t\t: {flags}\n" * 2)
        return hardware.last_digits(TrainingConfig(device=device))

    keys = [named(), named(device="cpu"), named(flags="fpu avx512f")]
    monkeypatch.setattr(hardware, "library_version", lambda name: "99")
    assert len({*keys, named()}) == 4 and named() == named(hertz=3000)


def test_a_graphics_card_that_is_not_there_is_a_plain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    with pytest.raises(ConfigError, match="no graphics card"):
        hardware.device(TrainingConfig(device="gpu"))
    with hardware.device(TrainingConfig(device="cpu")):
        assert "CPU" in tf.constant(1).device
    with hardware.device(TrainingConfig(device="auto")):
        pass


ORDER = np.random.default_rng(1).permutation(50)[:45].astype(np.int32)


def drawn(mixing: str, *, alpha: float = 1.0, seed: int = 3, epoch: int = 2, batch_size: int = 10) -> Any:
    changes = {"augmentation.mixing": mixing, "augmentation.mixing_alpha": alpha, "training.batch_size": batch_size}
    config = with_values(RunConfig(seed=seed), changes)
    return draw_mixes(config, ORDER, epoch=epoch, image_shape=(32, 24, 3))


@pytest.mark.parametrize("mixing", ["mixup", "cutmix"])
def test_partners_come_from_the_same_batch_and_most_of_an_image_is_its_own(mixing: str) -> None:
    assert drawn(mixing, batch_size=1) is None, "an image has no other in its batch"
    mixes = drawn(mixing)
    partners, masks = mixes.partners.numpy(), mixes.masks.numpy()
    assert masks.shape == (5, 32, 24, 1) and partners.shape == ORDER.shape
    for start in range(0, len(ORDER), 10):
        batch = slice(start, start + 10)
        assert sorted(partners[batch]) == sorted(ORDER[batch])
    assert (partners != ORDER).any()
    assert (masks.mean(axis=(1, 2, 3)) > 0.49).all() and (masks <= 1).all() and (masks >= 0).all()
    assert len(np.unique(masks.mean(axis=(1, 2, 3)))) > 1


def test_mixup_is_the_same_everywhere_and_cutmix_a_rectangle() -> None:
    assert all(len(np.unique(mask)) == 1 for mask in drawn("mixup").masks.numpy())
    for mask in drawn("cutmix", alpha=10.0).masks.numpy()[..., 0]:
        assert set(np.unique(mask)) <= {0.0, 1.0}
        rows, columns = np.where(mask == 0)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_mixes_follow_from_seed_and_epoch_and_a_small_alpha_leaves_images_nearly_alone() -> None:
    assert drawn(RunConfig().augmentation.mixing) is None
    assert drawn("mixup", alpha=0.01).masks.numpy().mean() > 0.95 > drawn("mixup", alpha=5.0).masks.numpy().mean()
    same = [np.array_equal(drawn("cutmix").masks, drawn("cutmix", **other).masks) for other in ({}, {"seed": 4})]
    assert same == [True, False]
    assert not np.array_equal(drawn("mixup").masks, drawn("mixup", epoch=3).masks)


def test_the_share_of_the_label_is_the_share_of_the_image() -> None:
    mask = np.ones((1, 4, 4, 1), dtype=np.float32)
    mask[:, :2, :2] = 0.0
    mixed, share = mix(tf.ones((2, 4, 4, 3)), tf.zeros((2, 4, 4, 3)), tf.constant(mask))
    assert float(share) == pytest.approx(0.75) == mixed.numpy().mean()
    assert mixed.numpy()[:, :2, :2].max() == 0.0 and mixed.numpy()[:, 2:, 2:].min() == 1.0


def test_the_loss_is_that_of_both_labels_in_their_shares() -> None:
    labels = np.array([0, 1, 2, 3], dtype=np.int64)
    images = np.full((4, 8, 8, 3), 255, dtype=np.uint8) * (labels[:, None, None, None] % 2 == 0).astype(np.uint8)
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(keras.layers.Flatten()(inputs)))
    order, partners, rows = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2]), np.arange(4)
    answers = model.predict(images[order] / 255.0 * 0.75 + images[partners] / 255.0 * 0.25, verbose=0)
    of_both = 0.75 * np.log(answers[rows, labels[order]]) + 0.25 * np.log(answers[rows, labels[partners]])

    group = ParameterGroup(keras.optimizers.SGD(0.0), model.trainable_variables)
    loop = EpochLoop(model, [group], Losses(TrainingConfig(), labels, num_classes=4), batch_size=4)
    loss, _ = loop.train(
        tf.constant(images),
        tf.constant(labels.astype(np.int32)),
        order.astype(np.int32),
        np.zeros(1, dtype=np.float32),
        mixes=Mixes(tf.constant(partners.astype(np.int32)), tf.fill((1, 8, 8, 1), 0.75)),
    )
    assert loss == pytest.approx(-of_both.mean(), rel=1e-5)


Conv2D, Dense = keras.layers.Conv2D, keras.layers.Dense

LAYERS = {
    "2 x 2 pixels, 3 channels, same": (lambda: Conv2D(5, 2, 2, "same"), (32, 32, 3), "convolution_op"),
    "2 x 2 pixels, 3 channels, valid": (lambda: Conv2D(5, 2, 2, "valid"), (32, 32, 3), "convolution_op"),
    "3 x 3 pixels, 8 channels, same": (lambda: Conv2D(5, 3, 3, "same"), (9, 9, 8), "convolution_op"),
    "3 x 3 pixels, 8 channels, valid": (lambda: Conv2D(5, 3, 3, "valid"), (9, 9, 8), "convolution_op"),
    "a large dense layer": (lambda: Dense(128, kernel_regularizer="l2"), (1024,), "call"),
    "a small one": (lambda: Dense(128), (64,), ""),
    "one without a bias": (lambda: Dense(128, use_bias=False), (1024,), ""),
    "windows that overlap": (lambda: Conv2D(6, 3, 2), (32, 32, 3), ""),
    "groups": (lambda: Conv2D(6, 2, 2, groups=3), (32, 32, 3), ""),
    "images that the windows do not tile": (lambda: Conv2D(6, 2, 2, "same"), (31, 32, 3), ""),
}


@pytest.mark.parametrize(("make", "shape", "replaced"), LAYERS.values(), ids=LAYERS)
def test_layers_with_less_work_give_keras_s_numbers_and_others_are_left_alone(
    make: Callable[[], keras.Layer], shape: tuple[int, ...], replaced: str
) -> None:
    model = keras.Sequential([keras.Input(shape), make(), keras.layers.ReLU()])
    watched = tf.constant(np.random.default_rng(0).random((4, *shape), np.float32))

    def outputs_and_gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            outputs = model(watched)
            loss = tf.reduce_sum(outputs**2)
        return [outputs, *tape.gradient(loss, [watched, *(variable.value for variable in model.trainable_variables)])]

    before, attributes = outputs_and_gradients(), set(vars(model.layers[0]))
    with_less_work(model)
    assert set(vars(model.layers[0])) - attributes == ({replaced} if replaced else set())
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=1e-4, atol=1e-4)
    as_saved(model)
    for mine, keras_own in zip(outputs_and_gradients(), before, strict=True):
        np.testing.assert_array_equal(mine, keras_own)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_pass_sgd_takes_kerass_steps(momentum: float) -> None:
    start = np.random.default_rng(1).random((6, 4)).astype(np.float32)
    gradients = np.random.default_rng(2).random((3, 6, 4)).astype(np.float32)
    ends = []
    for kind in (keras.optimizers.SGD, OnePassSGD):
        variable = keras.Variable(start)
        optimizer = kind(0.1, momentum=momentum, weight_decay=0.01)
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [variable])
        ends.append(np.array(variable))
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)
