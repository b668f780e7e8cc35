"""Notes before training: what they say together, and each rule at its edges."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from aquadash.coach import LEVELS, Note, before, config_notes, rates
from aquadash.coach.network_rules import sides
from aquadash.config import RunConfig, with_values
from aquadash.data import SOURCES
from aquadash.presets import PRESETS

CNN = {"model.name": "cnn"}
BACKBONE = {"model.name": "backbone"}
THAWED = {**BACKBONE, "model.fine_tuning": "all"}
NORMALIZED = {**CNN, "model.batch_normalization": True}
NOTHING_DECIDED = {"training.patience": 0, "training.restore_best_weights": False}


def training(**values: Any) -> dict[str, Any]:
    return {f"training.{name}": value for name, value in values.items()}


#: Settings on both sides of each edge, and the levels of the notes on them.
EDGES: list[tuple[dict[str, Any], dict[str, str]]] = [
    (training(batch_size=512), {}),
    (training(batch_size=513), {"batch-too-large": "warning"}),
    (training(label_smoothing=0.3), {}),
    (training(label_smoothing=0.31), {"much-smoothing": "warning"}),
    (training(validation_fraction=0.04), {}),
    (training(validation_fraction=0.03), {"few-validation-images": "hint"}),
    (training(validation_fraction=0.01) | {"data.source": "mine"}, {}),
    (training(validation="test"), {"validation-on-test": "warning"}),
    (NOTHING_DECIDED | training(validation="test"), {}),
    (NOTHING_DECIDED | training(validation="test", schedule="plateau"), {"validation-on-test": "warning"}),
    (training(restore_best_weights=False), {"last-weights-kept": "hint"}),
    (training(restore_best_weights=False, patience=0), {}),
    (training(from_logits=True), {"from-logits": "hint"}),
    (training(class_weights="balanced"), {"nothing-to-balance": "hint"}),
    (training(class_weights="balanced") | {"data.source": "mine"}, {}),
    # Rates that were seen to work, and to break a training.
    (training(optimizer="sgd", learning_rate=0.1), {}),
    (training(optimizer="sgd", learning_rate=0.5), {"rate-too-high": "warning"}),
    (training(optimizer="momentum", learning_rate=0.01), {}),
    (training(optimizer="momentum", learning_rate=0.1), {"rate-too-high": "warning"}),
    (training(optimizer="nesterov", learning_rate=0.03), {}),
    (training(optimizer="nesterov", learning_rate=0.1), {"rate-too-high": "warning"}),
    (training(optimizer="adam", learning_rate=0.003), {}),
    (training(optimizer="adam", learning_rate=0.01), {"rate-too-high": "warning"}),
    (training(optimizer="adamw", learning_rate=0.005), {}),
    (training(optimizer="adamw", learning_rate=0.02), {"rate-too-high": "warning"}),
    (training(learning_rate=0.5) | NORMALIZED, {}),
    (training(learning_rate=0.5) | {"model.batch_normalization": True}, {"rate-too-high": "warning"}),
    (training(learning_rate=0.0001), {"rate-too-low": "hint"}),
    (training(learning_rate=0.001), {}),
    (training(epochs=300, patience=0), {}),
    (training(epochs=301, patience=0), {"no-early-stopping": "warning"}),
    (training(epochs=301, patience=0, schedule="one_cycle"), {}),
    (training(epochs=500, patience=0, schedule="plateau", schedule_epochs=200), {"no-early-stopping": "warning"}),
    (training(epochs=40, schedule="cosine", patience=9), {"patience-cuts-schedule": "warning"}),
    (training(epochs=40, schedule="cosine", patience=10), {}),
    (training(schedule="plateau", schedule_epochs=5, patience=5), {"patience-before-plateau": "warning"}),
    (training(schedule="plateau", schedule_epochs=2000), {"patience-before-plateau": "warning"}),
    (training(schedule="plateau", schedule_epochs=4.5, patience=5), {}),
    (training(schedule="plateau", schedule_epochs=5, patience=0), {}),
    (training(epochs=20, warmup_epochs=10), {}),
    (training(epochs=20, warmup_epochs=11), {"warmup-too-long": "hint"}),
    (training(epochs=2, warmup_epochs=2), {"warmup-too-long": "warning"}),
    (training(epochs=20, schedule="step", schedule_epochs=20), {"never-cut": "hint"}),
    (training(epochs=20, schedule="step", schedule_epochs=19), {}),
    (training(epochs=20, schedule="exponential", schedule_epochs=20), {}),
    (training(epochs=200, schedule="exponential", schedule_epochs=10), {}),
    (training(epochs=200, schedule="exponential", schedule_epochs=7), {"rate-fades": "hint"}),
    ({"model.dropout": 0.8}, {}),
    ({"model.dropout": 0.81}, {"much-dropout": "warning"}),
    ({"model.l2": 0.5}, {}),
    ({**CNN, "model.l2": 0.01}, {}),
    ({**CNN, "model.l1": 1, "model.l2": 0.02}, {"large-penalty": "warning"}),
    (training(batch_size=1) | {"model.batch_normalization": True}, {}),
    (training(batch_size=2) | NORMALIZED, {"tiny-normalized-batch": "warning"}),
    (training(batch_size=3) | NORMALIZED, {}),
    (training(batch_size=2) | BACKBONE, {}),
    (training(head_epochs=500) | BACKBONE, {}),
    (training(head_epochs=199) | THAWED, {}),
    (training(head_epochs=200) | THAWED | {"augmentation.mode": "fresh"}, {"head-forever": "warning"}),
    (training(body_learning_rate=0) | BACKBONE, {}),
    (training(body_learning_rate=0) | THAWED, {"body-stands-still": "warning"}),
    (training(body_learning_rate=0, head_epochs=500) | {"model.fine_tuning": "all"}, {}),
    ({**CNN, "model.convolutions": 2}, {"linear-network": "hint"}),
    ({**CNN, "model.pooling": "average"}, {"linear-network": "hint"}),
    ({**CNN, "model.pooling": "average", "model.dense_activation": "linear"}, {"linear-network": "warning"}),
    ({**CNN, "model.pooling": "none", "model.dense_units": ""}, {"linear-network": "warning"}),
    ({**CNN, "model.pool_size": 1, "model.dense_units": ""}, {"linear-network": "warning"}),
    ({**CNN, "model.pooling": "none", "model.filters": "32", "model.summary": "max"}, {}),
    ({**CNN, "model.convolutions": 2, "model.filters": "32", "model.summary": "max"}, {}),
    ({"model.pooling": "average"}, {}),
    ({**CNN, "model.residual": True}, {"no-residual-part": "hint"}),
    ({**CNN, "model.residual": True, "model.convolutions": 2, "model.activation": "relu"}, {}),
    ({**BACKBONE, "augmentation.mode": "fresh"}, {"features-not-reused": "hint"}),
    ({**BACKBONE, "augmentation.mode": "fresh", "augmentation.pipeline": "none"}, {}),
    ({**THAWED, "augmentation.mode": "fresh"}, {}),
    ({"augmentation.mode": "fresh"}, {}),
    ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 8}, {}),
    ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 9}, {"small-maps": "hint"}),
    ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 9, "data.source": "mine"}, {}),
]
NOTED = [changes for changes, expected in EDGES if expected]


def found(changes: dict[str, Any]) -> dict[str, Note]:
    return {note.key: note for note in config_notes(with_values(RunConfig(), changes))}


@pytest.mark.parametrize(("changes", "expected"), EDGES, ids=str)
def test_what_is_said_of_settings_on_both_sides_of_an_edge(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert {key: note.level for key, note in found(changes).items()} == expected


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "notebook"])
def test_presets_are_not_warned_of(name: str) -> None:
    assert [note for note in config_notes(PRESETS[name].config) if note.level == "warning"] == []


def test_the_reports_oddities_are_named_and_its_repair_has_none() -> None:
    found = {note.key: note.level for note in config_notes(PRESETS["notebook"].config)}
    assert found == {"validation-on-test": "warning", "last-weights-kept": "hint", "from-logits": "hint"}
    assert config_notes(PRESETS["notebook-fixed"].config) == []


@pytest.mark.parametrize("changes", NOTED, ids=str)
def test_a_cure_cures_a_trouble_without_another_one(changes: dict[str, Any]) -> None:
    config = with_values(RunConfig(), changes)
    found = config_notes(config)
    for note in found:
        assert note.title and note.evidence.endswith(".")
        if not note.changes:
            continue
        cured = with_values(config, note.changes)
        assert cured != config
        left = {left.key for left in config_notes(cured)}
        assert left <= {note.key for note in found} - {note.key}


def test_warnings_come_first_and_each_key_once() -> None:
    for first, second in product(NOTED, NOTED):
        found = config_notes(with_values(RunConfig(), first | second))
        assert [note.level for note in found] == sorted((note.level for note in found), key=LEVELS.index)
        assert len({note.key for note in found}) == len(found)


def test_a_network_that_is_not_there_is_no_reason_to_fail() -> None:
    config = with_values(
        RunConfig(), {"model.name": "gone", "augmentation.pipeline": "gone", "training.batch_size": 900}
    )
    assert [note.key for note in config_notes(config)] == ["batch-too-large"]
    assert "only a few weight updates" in config_notes(config)[0].evidence


@pytest.mark.parametrize(
    ("images", "now", "wanted"),
    [(2500, 0.03, 0.15), (400, 0.15, 0.25), (400, 0.24, 0.25), (350, 0.2, 0.3), (300, 0.2, None)],
)
def test_enough_is_held_out(images: int, now: float, wanted: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(before, "SOURCES", {"mine": replace(SOURCES["synthetic"], train=images)})
    changes = {"data.source": "mine", "training.validation_fraction": now}
    note = found(changes)["few-validation-images"]
    assert "few-validation-images" not in found(changes | {"training.validation": "test"})
    assert note.changes == ({"training.validation_fraction": wanted} if wanted else {})
    assert not wanted or "few-validation-images" not in found(changes | note.changes)


@pytest.mark.parametrize(
    ("capable", "device", "told"), [(True, "auto", False), (False, "auto", True), (False, "gpu", False)]
)
def test_bfloat16_needs_a_processor(monkeypatch: pytest.MonkeyPatch, capable: bool, device: str, told: bool) -> None:
    monkeypatch.setattr(before, "multiplies_bfloat16", lambda: capable)
    notes = found({"training.precision": "mixed_bfloat16", "training.device": device})
    assert ("slow-precision" in notes) is told


def test_sides_follow_strides_and_pooling() -> None:
    def model(**changes: Any) -> Any:
        return with_values(RunConfig(), {f"model.{name}": value for name, value in changes.items()}).model

    assert sides(model(filters="1,1,1", strides=2, pool_strides=1), 33) == [33, 17, 9]
    assert sides(model(filters="1,1,1", strides=1, pool_strides=2), 32) == [32, 16, 8]
    assert sides(model(filters="1,1", strides=1, pool_strides=2, pooling="none"), 32) == [32, 32]


FAST = {"optimizer": "momentum", "learning_rate": 0.01, "momentum": 0.99}

#: Settings, a note on them, and words of its title and evidence.
WORDS: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    ({**CNN, "model.filters": "32", "model.pooling": "average"}, "linear-network", ("Layers in a row without",)),
    # 2,125 images in 5 versions, batches of 1,024.
    (training(batch_size=1024), "batch-too-large", ("10 weight updates an epoch",)),
    (
        training(batch_size=2048, drop_remainder=True) | {"augmentation.pipeline": "none"},
        "batch-too-large", ("1 weight update an epoch",),
    ),
    (training(learning_rate=5), "rate-too-high", ("A learning rate of 5 is very high", "With SGD,", "above 0.3")),
    (training(**FAST), "rate-too-high", ("momentum of 0.99", "add up to 1.")),
    (
        training(epochs=200, schedule="step", schedule_epochs=2, schedule_factor=0.1),
        "rate-fades", ("From epoch 8 on",),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key", "words"), WORDS, ids=str)
def test_a_note_names_its_numbers(changes: dict[str, Any], key: str, words: tuple[str, ...]) -> None:
    note = found(changes)[key]
    assert all(each in f"{note.title}. {note.evidence}" for each in words)


@pytest.mark.parametrize(
    ("settings", "lower", "higher"),
    [
        ({"learning_rate": 0.1}, 0.01, 0.3),
        ({"learning_rate": 10}, 0.01, 0.3),
        ({"learning_rate": 0.001}, 0.0001, 0.003),
        ({"learning_rate": 0.0001}, 0.00001, 0.01),
        ({"optimizer": "momentum", "learning_rate": 1, "momentum": 0.999}, 0.0003, 0.0003),
    ],
)
def test_a_lower_and_a_higher_rate_are_ones_that_work(settings: dict[str, Any], lower: float, higher: float) -> None:
    config = with_values(RunConfig(), training(**settings))
    assert (rates.lower(config, 10), rates.higher(config, 3)) == (lower, higher)


@pytest.mark.parametrize(("settings", "cure"), [({"learning_rate": 5}, 0.01), (FAST, 0.001)])
def test_a_rate_that_is_too_high_has_a_lower_one_for_its_cure(settings: dict[str, Any], cure: float) -> None:
    assert found(training(**settings))["rate-too-high"].changes == {"training.learning_rate": cure}


def test_rates_are_written_without_an_exponent() -> None:
    assert [rates.text(rate) for rate in (0.00001, 0.01, 2.0, 10.0)] == ["0.00001", "0.01", "2", "10"]
