"""Rules on the network, at their edges, and only where the network uses the setting."""

from __future__ import annotations

from typing import Any

import pytest

from aquadash.coach import config_notes
from aquadash.coach.network_rules import sides
from aquadash.config import RunConfig, with_values


def levels(changes: dict[str, Any]) -> dict[str, str]:
    return {note.key: note.level for note in config_notes(with_values(RunConfig(), changes))}


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
        ({**CNN, "training.batch_size": 1}, {}),
        ({**CNN, "training.batch_size": 2, "model.batch_normalization": True}, {"tiny-normalized-batch": "warning"}),
        ({**CNN, "training.batch_size": 3, "model.batch_normalization": True}, {}),
        ({**BACKBONE, "training.batch_size": 2}, {}),
        ({**BACKBONE, "training.batch_size": 2, "model.fine_tuning": "top"}, {}),
        ({**BACKBONE, "training.head_epochs": 500}, {}),
        ({**BACKBONE, "model.fine_tuning": "all", "training.head_epochs": 200}, {"head-forever": "warning"}),
        ({**BACKBONE, "model.fine_tuning": "all", "training.head_epochs": 199}, {}),
        ({**BACKBONE, "training.body_learning_rate": 0}, {}),
        ({**BACKBONE, "model.fine_tuning": "all", "training.body_learning_rate": 0}, {"body-stands-still": "warning"}),
        ({"training.body_learning_rate": 0, "training.head_epochs": 500, "model.fine_tuning": "all"}, {}),
        (CNN, {}),
        ({**CNN, "model.convolutions": 2}, {"linear-network": "hint"}),
        ({**CNN, "model.convolutions": 2, "model.activation": "gelu"}, {}),
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
def test_edges(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert levels(changes) == expected


def test_sides_follow_strides_and_pooling() -> None:
    def model(**changes: Any) -> Any:
        return with_values(RunConfig(), {f"model.{name}": value for name, value in changes.items()}).model

    assert sides(model(filters="1,1,1", strides=2, pool_strides=1), 33) == [33, 17, 9]
    assert sides(model(filters="1,1,1", strides=1, pool_strides=2), 32) == [32, 16, 8]
    assert sides(model(filters="1,1", strides=1, pool_strides=2, pooling="none"), 32) == [32, 32]
