"""The script that repeats a run without AquaDash ends with the run's own numbers, to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset, synthetic
from aquadash.presets import preset
from tests.exported_scripts import execute, trained, write_script

SMALL = {"training.epochs": 2, "training.batch_size": 16}

CONFIGS = {
    "the report's own, with its augmentation": with_values(
        preset("notebook-fixed").config, {**SMALL, "training.patience": 1, "training.learning_rate": 0.05}
    ),
    "the small modern network": with_values(
        preset("baseline").config, {**SMALL, "model.filters": "8, 16", "training.epochs": 3}
    ),
    "every rarer setting": with_values(
        RunConfig(),
        {
            **SMALL,
            "seed": 5,
            "training.epochs": 4,
            "augmentation.pipeline": "none",
            "augmentation.mixing": "cutmix",
            "model.name": "cnn",
            "model.filters": "8, 8",
            "model.normalization": "symmetric",
            "model.residual": True,
            "model.convolutions": 2,
            "model.activation": "gelu",
            "model.dense_units": "16",
            "model.l2": 0.001,
            "training.optimizer": "adam",
            "training.weight_decay": 0.01,
            "training.schedule": "plateau",
            "training.schedule_epochs": 1,
            "training.warmup_epochs": 1,
            "training.class_weights": "balanced",
            "training.label_smoothing": 0.1,
            "training.from_logits": True,
            "training.monitor": "val_accuracy",
            "training.learning_rate": 0.01,
        },
    ),
    "a pretrained body, first its head alone": with_values(
        preset("backbone").config,
        {
            **SMALL,
            "training.epochs": 3,
            "training.head_epochs": 1,
            "training.restore_best_weights": True,
            "training.precision": "float32",
            "model.dense_units": "256",
        },
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    return synthetic.make(train_per_class=24, test_per_class=12)


@pytest.mark.slow
@pytest.mark.parametrize("case", CONFIGS)
def test_the_script_repeats_the_run_to_the_last_bit(case: str, drawn: Dataset, tmp_path: Path) -> None:
    config = CONFIGS[case]
    result = trained(config, drawn)
    write_script(tmp_path, config, drawn, result)
    said = execute(tmp_path)
    assert said["identical"], said
    assert said["epochs"] == len(result.history)
    assert said["val_accuracy"] == result.val_accuracy
