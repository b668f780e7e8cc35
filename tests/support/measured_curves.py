"""Learning curves of real runs of the report's network, for tests of the coach, by name.

``measured_curves.csv`` has a row for each epoch, with figures of four digits. All but the last run, on drawn animals,
learned from CIFAR-100's photographs.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aquadash.config import RunConfig, with_values
from aquadash.store import EpochRecord

_PLAIN = {"data.source": "cifar100", "augmentation.pipeline": "none", "training.epochs": 30, "training.patience": 0}

#: The settings that differ from ``notebook-fixed``.
_CHANGES: dict[str, dict[str, Any]] = {
    "ADAM_TOO_FAST": {**_PLAIN, "training.optimizer": "adam"},
    "SGD_TOO_SLOW": {**_PLAIN, "training.learning_rate": 0.001},
    "LEARNT_BY_HEART": {
        **_PLAIN, "training.optimizer": "adam", "training.learning_rate": 0.001, "model.dropout": 0.0
    },
    "SGD_FAST": {**_PLAIN, "training.learning_rate": 0.1},
    "REPORT_FIXED": {"data.source": "cifar100"},
    "SGD_BROKEN": {**_PLAIN, "data.source": "synthetic", "training.epochs": 10, "training.learning_rate": 1.0},
}  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """The settings and the epochs of a run."""

    config: RunConfig
    history: list[EpochRecord]


def _read(name: str) -> Curve:
    config = with_values(RunConfig(), _CHANGES[name])
    with Path(__file__).with_suffix(".csv").open(newline="") as file:
        rows = [list(row.values())[1:] for row in csv.DictReader(file) if row["curve"] == name]
    rate = config.training.learning_rate
    return Curve(config, [EpochRecord(int(row[0]), *map(float, row[1:]), rate, seconds=1.0) for row in rows])


CURVES = {name: _read(name) for name in _CHANGES}
