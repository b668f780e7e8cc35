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

#: Settings that are each warned of, some for one network only.
TROUBLES: list[dict[str, Any]] = [
    {"training.learning_rate": 5},
    {"training.optimizer": "adam", "training.learning_rate": 0.05},
    {"training.optimizer": "nesterov", "training.momentum": 0.999},
    {"training.learning_rate": 0.00001},
    {"training.batch_size": 2048},
    {"training.batch_size": 1, "model.name": "cnn", "model.batch_normalization": True},
    {"training.patience": 0, "training.epochs": 2000},
    {"training.patience": 0, "training.epochs": 500, "training.schedule": "plateau", "training.schedule_epochs": 200},
    {"training.schedule": "one_cycle"},
    {"training.schedule": "plateau"},
    {"training.schedule": "plateau", "training.schedule_epochs": 2000},
    {"training.schedule": "step", "training.schedule_epochs": 500},
    {"training.schedule": "exponential", "training.schedule_epochs": 1},
    {"training.warmup_epochs": 200},
    {"training.warmup_epochs": 2, "training.epochs": 2},
    {"training.validation": "test"},
    {"training.validation_fraction": 0.01},
    {"training.restore_best_weights": False},
    {"training.from_logits": True},
    {"training.label_smoothing": 0.9},
    {"training.class_weights": "balanced"},
    {"model.dropout": 0.95},
    {"model.name": "cnn", "model.l1": 1, "model.l2": 1},
    {"model.name": "cnn", "model.convolutions": 2},
    {"model.name": "cnn", "model.pooling": "none", "model.dense_units": ""},
    {"model.name": "cnn", "model.residual": True},
    {"model.name": "cnn", "model.kernel_size": 11, "model.filters": "8,8,8,8"},
    {"model.name": "backbone", "augmentation.mode": "fresh"},
    {"model.name": "backbone", "model.fine_tuning": "all", "training.head_epochs": 200},
    {"model.name": "backbone", "model.fine_tuning": "top", "training.body_learning_rate": 0},
]


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "notebook"])
def test_presets_are_not_warned_of(name: str) -> None:
    assert [note for note in config_notes(PRESETS[name].config) if note.level == "warning"] == []


def test_the_reports_oddities_are_named_and_its_repair_has_none() -> None:
    found = {note.key: note.level for note in config_notes(PRESETS["notebook"].config)}
    assert found == {"validation-on-test": "warning", "last-weights-kept": "hint", "from-logits": "hint"}
    assert config_notes(PRESETS["notebook-fixed"].config) == []


@pytest.mark.parametrize("changes", TROUBLES, ids=str)
def test_a_trouble_is_noted_and_its_cure_cures_it_without_another_trouble(changes: dict[str, Any]) -> None:
    config = with_values(RunConfig(), changes)
    found = config_notes(config)
    assert found
    for note in found:
        assert note.title and note.evidence.endswith(".")
        if not note.changes:
            continue
        cured = with_values(config, note.changes)
        assert cured != config
        left = {left.key for left in config_notes(cured)}
        assert left <= {note.key for note in found} - {note.key}


def test_warnings_come_first_and_each_key_once() -> None:
    for first, second in product(TROUBLES, TROUBLES):
        found = config_notes(with_values(RunConfig(), first | second))
        assert [note.level for note in found] == sorted((note.level for note in found), key=LEVELS.index)
        assert len({note.key for note in found}) == len(found)


def test_a_network_that_is_not_there_is_no_reason_to_fail() -> None:
    config = with_values(
        RunConfig(), {"model.name": "gone", "augmentation.pipeline": "gone", "training.batch_size": 900}
    )
    assert [note.key for note in config_notes(config)] == ["batch-too-large"]
    assert "only a few weight updates" in config_notes(config)[0].evidence


NOTHING_DECIDED = {"training.patience": 0, "training.restore_best_weights": False}


def found(changes: dict[str, Any]) -> dict[str, Note]:
    return {note.key: note for note in config_notes(with_values(RunConfig(), changes))}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"training.batch_size": 512}, set()),
        ({"training.batch_size": 513}, {"batch-too-large"}),
        ({"training.label_smoothing": 0.3}, set()),
        ({"training.label_smoothing": 0.31}, {"much-smoothing"}),
        ({"training.validation_fraction": 0.04}, set()),
        ({"training.validation_fraction": 0.03}, {"few-validation-images"}),
        ({"training.validation_fraction": 0.03, "training.validation": "test"}, {"validation-on-test"}),
        ({**NOTHING_DECIDED, "training.validation": "test"}, set()),
        (
            {**NOTHING_DECIDED, "training.validation": "test", "training.schedule": "plateau"},
            {"validation-on-test"},
        ),
        ({"training.restore_best_weights": False}, {"last-weights-kept"}),
        ({"training.restore_best_weights": False, "training.patience": 0}, set()),
        ({"training.from_logits": True}, {"from-logits"}),
        ({"training.class_weights": "balanced"}, {"nothing-to-balance"}),
        ({"training.class_weights": "balanced", "data.source": "mine"}, set()),
        ({"training.validation_fraction": 0.01, "data.source": "mine"}, set()),
    ],
    ids=str,
)
def test_edges_of_batches_loss_and_validation(changes: dict[str, Any], expected: set[str]) -> None:
    assert set(found(changes)) == expected


@pytest.mark.parametrize(
    ("images", "now", "wanted"),
    [(2500, 0.03, 0.15), (400, 0.15, 0.25), (400, 0.24, 0.25), (350, 0.2, 0.3), (300, 0.2, None)],
)
def test_as_much_is_held_out_as_makes_enough_validation_images(
    images: int, now: float, wanted: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(before, "SOURCES", {"mine": replace(SOURCES["synthetic"], train=images)})
    changes = {"data.source": "mine", "training.validation_fraction": now}
    note = found(changes)["few-validation-images"]
    assert note.changes == ({"training.validation_fraction": wanted} if wanted else {})
    assert not wanted or "few-validation-images" not in found(changes | note.changes)


def test_weight_updates_are_counted() -> None:
    # 2,125 images in 5 versions, batches of 1,024.
    assert "10 weight updates an epoch" in found({"training.batch_size": 1024})["batch-too-large"].evidence
    alone = {"training.batch_size": 2048, "augmentation.pipeline": "none", "training.drop_remainder": True}
    assert "1 weight update an epoch" in found(alone)["batch-too-large"].evidence


@pytest.mark.parametrize(
    ("capable", "device", "told"), [(True, "auto", False), (False, "auto", True), (False, "gpu", False)]
)
def test_bfloat16_is_for_processors_made_for_it(
    monkeypatch: pytest.MonkeyPatch, capable: bool, device: str, told: bool
) -> None:
    monkeypatch.setattr(before, "multiplies_bfloat16", lambda: capable)
    notes = found({"training.precision": "mixed_bfloat16", "training.device": device})
    assert ("slow-precision" in notes) is told


def schedule_notes(**training: Any) -> dict[str, Note]:
    return found({f"training.{name}": value for name, value in training.items()})


def test_a_high_rate_names_its_limit_and_a_usual_one() -> None:
    note = schedule_notes(learning_rate=5)["rate-too-high"]
    assert note.level == "warning" and note.title == "A learning rate of 5 is very high"
    assert "SGD" in note.evidence and "above 0.3" in note.evidence
    assert note.changes == {"training.learning_rate": 0.01}


def test_a_high_momentum_is_counted_in() -> None:
    assert schedule_notes(optimizer="momentum", learning_rate=0.01, momentum=0.9) == {}
    note = schedule_notes(optimizer="momentum", learning_rate=0.01, momentum=0.99)["rate-too-high"]
    assert "momentum of 0.99" in note.evidence and "add up to 1" in note.evidence
    assert note.changes == {"training.learning_rate": 0.001}


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"learning_rate": 0.0001}, {"rate-too-low"}),
        ({"learning_rate": 0.001}, set()),
        ({"epochs": 300, "patience": 0}, set()),
        ({"epochs": 301, "patience": 0}, {"no-early-stopping"}),
        ({"epochs": 301, "patience": 1}, set()),
        ({"epochs": 301, "patience": 0, "schedule": "one_cycle"}, set()),
        ({"epochs": 40, "schedule": "cosine", "patience": 9}, {"patience-cuts-schedule"}),
        ({"epochs": 40, "schedule": "cosine", "patience": 10}, set()),
        ({"epochs": 40, "schedule": "one_cycle", "patience": 0}, set()),
        ({"schedule": "plateau", "schedule_epochs": 5, "patience": 5}, {"patience-before-plateau"}),
        ({"schedule": "plateau", "schedule_epochs": 4.5, "patience": 5}, set()),
        ({"schedule": "plateau", "schedule_epochs": 5, "patience": 0}, set()),
        ({"epochs": 20, "warmup_epochs": 10}, set()),
        ({"epochs": 20, "warmup_epochs": 11}, {"warmup-too-long"}),
        ({"epochs": 20, "schedule": "step", "schedule_epochs": 20}, {"never-cut"}),
        ({"epochs": 20, "schedule": "step", "schedule_epochs": 19}, set()),
        ({"epochs": 20, "schedule": "exponential", "schedule_epochs": 20}, set()),
        ({"epochs": 200, "schedule": "exponential", "schedule_epochs": 10}, set()),
        ({"epochs": 200, "schedule": "exponential", "schedule_epochs": 7}, {"rate-fades"}),
    ],
    ids=str,
)
def test_edges_of_rates_and_schedules(training: dict[str, Any], expected: set[str]) -> None:
    assert set(schedule_notes(**training)) == expected


def test_a_warm_up_as_long_as_the_training_is_worse_than_a_long_one() -> None:
    assert schedule_notes(epochs=20, warmup_epochs=11)["warmup-too-long"].level == "hint"
    whole = schedule_notes(epochs=20, warmup_epochs=20)["warmup-too-long"]
    assert whole.level == "warning" and whole.changes == {"training.warmup_epochs": 2.0}


def test_the_rate_fades_where_the_note_says() -> None:
    note = schedule_notes(epochs=200, schedule="step", schedule_epochs=2, schedule_factor=0.1)["rate-fades"]
    assert "From epoch 8 on" in note.title


CNN = {"model.name": "cnn"}
BACKBONE = {"model.name": "backbone"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model.dropout": 0.8}, {}),
        ({"model.dropout": 0.81}, {"much-dropout": "warning"}),
        ({"model.l2": 0.5}, {}),
        ({**CNN, "model.l2": 0.01}, {}),
        ({**CNN, "model.l2": 0.02}, {"large-penalty": "warning"}),
        ({"training.batch_size": 1, "model.batch_normalization": True}, {}),
        ({**CNN, "training.batch_size": 2, "model.batch_normalization": True}, {"tiny-normalized-batch": "warning"}),
        ({**CNN, "training.batch_size": 3, "model.batch_normalization": True}, {}),
        ({**BACKBONE, "training.batch_size": 2}, {}),
        ({**BACKBONE, "training.head_epochs": 500}, {}),
        (
            {**BACKBONE, "model.fine_tuning": "all", "training.head_epochs": 200, "augmentation.mode": "fresh"},
            {"head-forever": "warning"},
        ),
        ({**BACKBONE, "model.fine_tuning": "all", "training.head_epochs": 199}, {}),
        ({**BACKBONE, "training.body_learning_rate": 0}, {}),
        ({**BACKBONE, "model.fine_tuning": "all", "training.body_learning_rate": 0}, {"body-stands-still": "warning"}),
        ({"training.body_learning_rate": 0, "training.head_epochs": 500, "model.fine_tuning": "all"}, {}),
        (CNN, {}),
        ({**CNN, "model.convolutions": 2}, {"linear-network": "hint"}),
        ({**CNN, "model.pooling": "average"}, {"linear-network": "hint"}),
        ({**CNN, "model.pooling": "average", "model.dense_activation": "linear"}, {"linear-network": "warning"}),
        ({"model.pooling": "average"}, {}),
        ({**CNN, "model.residual": True}, {"no-residual-part": "hint"}),
        ({**CNN, "model.residual": True, "model.convolutions": 2, "model.activation": "relu"}, {}),
        ({**BACKBONE, "augmentation.mode": "fresh"}, {"features-not-reused": "hint"}),
        ({**BACKBONE, "augmentation.mode": "fresh", "augmentation.pipeline": "none"}, {}),
        ({**BACKBONE, "augmentation.mode": "fresh", "model.fine_tuning": "all"}, {}),
        ({"augmentation.mode": "fresh"}, {}),
        ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 8}, {}),
        ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 9}, {"small-maps": "hint"}),
        ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 9, "data.source": "mine"}, {}),
    ],
    ids=str,
)
def test_edges_of_the_network(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert {key: note.level for key, note in found(changes).items()} == expected


def test_sides_follow_strides_and_pooling() -> None:
    def model(**changes: Any) -> Any:
        return with_values(RunConfig(), {f"model.{name}": value for name, value in changes.items()}).model

    assert sides(model(filters="1,1,1", strides=2, pool_strides=1), 33) == [33, 17, 9]
    assert sides(model(filters="1,1,1", strides=1, pool_strides=2), 32) == [32, 16, 8]
    assert sides(model(filters="1,1", strides=1, pool_strides=2, pooling="none"), 32) == [32, 32]


def config(**training: Any) -> RunConfig:
    return with_values(RunConfig(), {f"training.{name}": value for name, value in training.items()})


@pytest.mark.parametrize(
    ("optimizer", "works", "breaks"),
    [
        ("sgd", 0.1, 0.5),
        ("momentum", 0.01, 0.1),
        ("nesterov", 0.03, 0.1),
        ("adam", 0.003, 0.01),
        ("adamw", 0.005, 0.02),
    ],
)
def test_the_limits_divide_what_was_seen_to_work_from_what_was_seen_to_break(
    optimizer: str, works: float, breaks: float
) -> None:
    assert not rates.too_large(config(optimizer=optimizer, learning_rate=works))
    assert rates.too_large(config(optimizer=optimizer, learning_rate=breaks))


def test_batch_normalization_allows_more_where_the_network_has_it() -> None:
    fast = {"training.learning_rate": 0.5, "model.batch_normalization": True}
    assert not rates.too_large(with_values(RunConfig(), {**fast, "model.name": "cnn"}))
    assert rates.too_large(with_values(RunConfig(), {**fast, "model.name": "notebook"}))


def test_a_lower_rate_is_one_that_works() -> None:
    assert rates.lower(config(learning_rate=0.1), 10) == 0.01
    assert rates.lower(config(learning_rate=10), 10) == 0.01
    assert rates.lower(config(optimizer="momentum", learning_rate=1, momentum=0.999), 10) == 0.0003


def test_a_higher_rate_is_one_that_works() -> None:
    assert rates.higher(config(learning_rate=0.001), 3) == 0.003
    assert rates.higher(config(learning_rate=0.2), 3) == 0.3
    assert rates.higher(config(learning_rate=0.0001), 3) == 0.01, "far too low: the usual one at once"


def test_rates_are_written_without_an_exponent() -> None:
    assert [rates.text(rate) for rate in (0.00001, 0.01, 2.0, 10.0)] == ["0.00001", "0.01", "2", "10"]
