"""Notes before training: what they say together, and each rule at its edges."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from aquadash.coach import LEVELS, Note, before, config_notes
from aquadash.config import RunConfig, with_values
from aquadash.data.sources import BUILT_IN
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
    (training(label_noise=0.05), {"label-noise": "hint"}),
    (training(validation_fraction=0.04), {}),
    (training(validation_fraction=0.03), {"few-validation-images": "hint"}),
    (training(validation="test"), {"validation-on-test": "warning"}),
    (NOTHING_DECIDED | training(validation="test"), {}),
    (training(restore_best_weights=False), {"last-weights-kept": "hint"}),
    (training(restore_best_weights=False, patience=0), {}),
    (training(from_logits=True), {"from-logits": "hint"}),
    (training(class_weights="balanced"), {"nothing-to-balance": "hint"}),
    # Rates that were seen to work, and to break a training.
    (training(optimizer="sgd", learning_rate=0.1), {}),
    (training(optimizer="sgd", learning_rate=0.5), {"rate-too-high": "warning"}),
    (training(optimizer="nesterov", learning_rate=0.03), {}),
    (training(optimizer="nesterov", learning_rate=0.1), {"rate-too-high": "warning"}),
    (training(optimizer="adam", learning_rate=0.003), {}),
    (training(optimizer="adam", learning_rate=0.01), {"rate-too-high": "warning"}),
    (training(learning_rate=0.5) | NORMALIZED, {}),
    (training(learning_rate=0.5) | {"model.batch_normalization": True}, {"rate-too-high": "warning"}),
    (training(learning_rate=0.0001), {"rate-too-low": "hint"}),
    (training(learning_rate=0.001), {}),
    (training(epochs=300, patience=0), {}),
    (training(epochs=301, patience=0), {"no-early-stopping": "warning"}),
    (training(epochs=500, patience=0, schedule="plateau", schedule_epochs=200), {"no-early-stopping": "warning"}),
    (training(epochs=40, schedule="cosine", patience=9), {"patience-cuts-schedule": "warning"}),
    (training(epochs=40, schedule="cosine", patience=10), {}),
    (training(schedule="plateau", schedule_epochs=5, patience=5), {"patience-before-plateau": "warning"}),
    (training(schedule="plateau", schedule_epochs=4.5, patience=5), {}),
    (training(epochs=20, warmup_epochs=10), {}),
    (training(epochs=20, warmup_epochs=11), {"warmup-too-long": "hint"}),
    (training(epochs=2, warmup_epochs=2), {"warmup-too-long": "warning"}),
    (training(epochs=20, schedule="step", schedule_epochs=20), {"never-cut": "hint"}),
    (training(epochs=20, schedule="step", schedule_epochs=19), {}),
    (training(epochs=200, schedule="exponential", schedule_epochs=10), {}),
    (training(epochs=200, schedule="exponential", schedule_epochs=7), {"rate-fades": "hint"}),
    ({"model.dropout": 0.8}, {}),
    ({"model.dropout": 0.81}, {"much-dropout": "warning"}),
    ({**CNN, "model.l2": 0.01}, {}),
    ({**CNN, "model.l1": 1, "model.l2": 0.02}, {"large-penalty": "warning"}),
    (training(batch_size=1) | {"model.batch_normalization": True}, {}),
    (training(batch_size=2) | NORMALIZED, {"tiny-normalized-batch": "warning"}),
    (training(batch_size=3) | NORMALIZED, {}),
    (training(head_epochs=199) | THAWED, {}),
    (training(head_epochs=200) | THAWED | {"augmentation.mode": "fresh"}, {"head-forever": "warning"}),
    (training(body_learning_rate=0) | BACKBONE, {}),
    (training(body_learning_rate=0) | THAWED, {"body-stands-still": "warning"}),
    ({**CNN, "model.convolutions": 2}, {"linear-network": "hint"}),
    ({**CNN, "model.pooling": "average"}, {"linear-network": "hint"}),
    ({**CNN, "model.pooling": "average", "model.dense_activation": "linear"}, {"linear-network": "warning"}),
    ({**CNN, "model.pooling": "none", "model.filters": "32", "model.summary": "max"}, {}),
    ({"model.pooling": "average"}, {}),
    ({**BACKBONE, "augmentation.mode": "fresh"}, {"features-not-reused": "hint"}),
    ({**THAWED, "augmentation.mode": "fresh"}, {}),
    ({"augmentation.mode": "fresh"}, {}),
    ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 8}, {}),
    ({**CNN, "model.filters": "8,8,8", "model.kernel_size": 9}, {"small-maps": "hint"}),
]
NOTED = [changes for changes, expected in EDGES if expected]


def notes_by_key(changes: dict[str, Any]) -> dict[str, Note]:
    return {note.key: note for note in config_notes(with_values(RunConfig(), changes))}


@pytest.mark.parametrize(("changes", "expected"), EDGES, ids=str)
def test_what_is_said_of_settings_on_both_sides_of_an_edge(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert {key: note.level for key, note in notes_by_key(changes).items()} == expected


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "notebook"])
def test_presets_are_not_warned_of(name: str) -> None:
    assert [note for note in config_notes(PRESETS[name].config) if note.level == "warning"] == []


def test_the_reports_oddities_are_named_and_its_repair_has_none() -> None:
    levels = {note.key: note.level for note in config_notes(PRESETS["notebook"].config)}
    assert levels == {"validation-on-test": "warning", "last-weights-kept": "hint", "from-logits": "hint"}
    assert config_notes(PRESETS["notebook-fixed"].config) == []


@pytest.mark.parametrize("changes", NOTED, ids=str)
def test_a_cure_cures_a_trouble_without_another_one(changes: dict[str, Any]) -> None:
    config = with_values(RunConfig(), changes)
    notes = config_notes(config)
    for note in notes:
        assert note.title and note.evidence.endswith(".")
        if not note.changes:
            continue
        cured = with_values(config, note.changes)
        assert cured != config
        left = {left.key for left in config_notes(cured)}
        assert left <= {note.key for note in notes} - {note.key}


def test_warnings_come_first_and_each_key_once() -> None:
    for first, second in product(NOTED, NOTED):
        notes = config_notes(with_values(RunConfig(), first | second))
        assert [note.level for note in notes] == sorted((note.level for note in notes), key=LEVELS.index)
        assert len({note.key for note in notes}) == len(notes)


def test_a_network_that_is_not_there_is_no_reason_to_fail() -> None:
    gone = {"model.name": "gone", "augmentation.pipeline": "gone", "training.batch_size": 900}
    ((key, note),) = notes_by_key(gone).items()
    assert key == "batch-too-large" and "only a few weight updates" in note.evidence


@pytest.mark.parametrize(
    ("images", "now", "wanted"), [(2500, 0.03, 0.15), (400, 0.24, 0.25), (350, 0.2, 0.3), (300, 0.2, None)]
)
def test_enough_is_held_out(images: int, now: float, wanted: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT_IN, "mine", replace(BUILT_IN["synthetic"], train=images))
    changes = {"data.source": "mine", "training.validation_fraction": now}
    note = notes_by_key(changes)["few-validation-images"]
    assert "few-validation-images" not in notes_by_key(changes | {"training.validation": "test"})
    assert note.changes == ({"training.validation_fraction": wanted} if wanted else {})
    assert not wanted or "few-validation-images" not in notes_by_key(changes | note.changes)


@pytest.mark.parametrize(
    ("capable", "device", "told"), [(True, "auto", False), (False, "auto", True), (False, "gpu", False)]
)
def test_bfloat16_needs_a_processor(monkeypatch: pytest.MonkeyPatch, capable: bool, device: str, told: bool) -> None:
    monkeypatch.setattr(before, "multiplies_bfloat16", lambda: capable)
    notes = notes_by_key({"training.precision": "mixed_bfloat16", "training.device": device})
    assert ("slow-precision" in notes) is told
