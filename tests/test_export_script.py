"""The script that repeats a run without AquaDash ends with the run's own numbers, to the last bit."""

from __future__ import annotations

import ast
import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import augment, models
from aquadash.augment import OPERATORS, PIPELINES, AugmentationPlan, Branch, PipelineSpec
from aquadash.config import SETTINGS, AugmentationConfig, RunConfig, with_values
from aquadash.data import Dataset
from aquadash.errors import RunError
from aquadash.export import network_code as network_code_module
from aquadash.export import script
from aquadash.export.augmentation_code import AugmentationCode, augmentation_code
from aquadash.export.network_code import network_code
from aquadash.export.notebook import train_notebook
from aquadash.export.script import Recipe, train_script, why_no_script
from aquadash.models import backbone
from aquadash.presets import preset
from aquadash.runs import EpochRecord
from aquadash.training.schedules import learning_rates
from tests.drawn_images import few_drawings
from tests.exported_scripts import execute, trained, write_script

NONE = AugmentationPlan((PIPELINES["none"],))
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
            "augmentation.pipeline": "notebook-1:2, mirror-shift",
            "augmentation.mode": "fresh",
            "augmentation.keep_originals": True,
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
    return few_drawings(train_per_class=24, test_per_class=12)


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


def test_a_setting_that_is_not_followed_gets_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    config = with_values(RunConfig(), {"training.label_smoothing": 0.1})
    assert not why_no_script(config)
    name = "training.label_smoothing"
    monkeypatch.setitem(SETTINGS, name, replace(SETTINGS[name], script=False))
    assert "training.label_smoothing is '0.1'" in why_no_script(config)
    assert not why_no_script(RunConfig())


def test_a_network_without_code_for_the_script_is_told_apart_from_one_with_foreign_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(network_code_module._WRITERS, "cnn")
    reason = why_no_script(with_values(RunConfig(), {"model.name": "cnn"}))
    assert "'cnn'" in reason and "ImageNet" not in reason
    assert "ImageNet" in why_no_script(with_values(RunConfig(), {"model.name": "vgg16"}))


@pytest.mark.parametrize(
    "settings",
    [
        {"model.name": "notebook"},
        {"model.name": "cnn", "model.residual": True, "model.convolutions": 3, "model.l1": 0.1,
         "model.pooling": "none"},
        {"model.name": "cnn", "model.normalization": "standardize", "model.summary": "max", "model.dense_units": ""},
        {"model.name": "cnn", "model.normalization": "symmetric", "model.batch_normalization": True,
         "model.activation": "leaky_relu", "model.pooling": "average", "model.filters": "8, 16, 8"},
        {"model.name": "backbone", "model.l2": 0.01, "model.dense_units": "16, 8"},
        {"model.name": "backbone", "model.dense_units": ""},
    ],
)  # fmt: skip
def test_the_code_builds_the_network_that_aquadash_builds(settings: dict[str, object], tmp_path: Path) -> None:
    import keras

    config = with_values(RunConfig(), settings).model
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    shutil.copy(backbone.WEIGHTS_FILE, tmp_path / "backbone.npz")
    known = {"keras": keras, "layers": keras.layers, "np": np, "train_images": images, "HERE": tmp_path}
    keras.utils.set_random_seed(1)
    exec(network_code(config, image_shape=(32, 32, 3), num_classes=5), known)
    keras.utils.set_random_seed(1)
    statistics = models.ChannelStatistics.of(images)
    wanted = models.build(config, image_shape=(32, 32, 3), num_classes=5, statistics=statistics)
    if config.name == "backbone":
        backbone.load(wanted, backbone.WEIGHTS_FILE)
    got = known["model"]
    for mine, theirs in zip(got.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert [type(layer) for layer in got.layers] == [type(layer) for layer in wanted.layers]
    scaled = images.astype(np.float32) / 255.0
    np.testing.assert_array_equal(np.asarray(got(scaled)), np.asarray(wanted(scaled)))
    assert len(got.losses) == len(wanted.losses)


@pytest.mark.parametrize("name", [name for name, spec in PIPELINES.items() if name != "none"])
def test_the_code_draws_the_images_that_aquadash_draws(name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    code = augmentation_code(AugmentationPlan((PIPELINES[name],)))
    known: dict[str, Any] = {"np": np}
    exec("\n".join(["from __future__ import annotations", *code.imports, code.body]), known)
    np.testing.assert_array_equal(known["augment"](images, 7), augment.apply(images, PIPELINES[name], seed=7))
    assert {"augment", "VERSIONS"} <= code.names


@pytest.mark.parametrize(
    "settings",
    [
        {"pipeline": "notebook", "copies": 2},
        {"pipeline": "notebook-1", "keep_originals": True},
        {"pipeline": "notebook-4:3, mirror-shift:1, notebook", "copies": 2, "keep_originals": True},
    ],
)
def test_the_code_draws_what_a_plan_draws(settings: dict[str, object]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 8, 8, 3), dtype=np.uint8)
    plan = augment.plan(AugmentationConfig(**settings))
    code = augmentation_code(plan)
    known: dict[str, Any] = {"np": np}
    exec("\n".join(["from __future__ import annotations", *code.imports, code.body]), known)
    np.testing.assert_array_equal(known["augment"](images, 7), augment.draw(images, plan, seed=7))


def test_every_operator_goes_into_a_script_without_a_clash_of_names() -> None:
    steps = tuple(info.example for info in OPERATORS.values() if info.example is not None)
    assert len(steps) > 100
    spec = PipelineSpec("mine", "Mine", "Made by a test.", (Branch("All", steps),))
    config = with_values(preset("backbone").config, {"model.dense_units": "8", "training.schedule": "cosine"})
    text = train_script(Recipe("a", config, AugmentationPlan((spec,)), "f", (32, 32, 3), 5, "float32", None, False))
    compile(text, "train.py", "exec")


def test_a_clash_of_names_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clashing = AugmentationCode((), "VERSIONS = []\n\n\ndef evaluate():\n    pass", frozenset({"VERSIONS", "evaluate"}))
    monkeypatch.setattr(script, "augmentation_code", lambda spec: clashing)
    with pytest.raises(RunError, match="evaluate"):
        train_script(
            Recipe(
                "a",
                RunConfig(),
                AugmentationPlan((PIPELINES["notebook"],)),
                "f",
                (32, 32, 3),
                5,
                "float32",
                None,
                False,
            )
        )


@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "cosine", "one_cycle", "plateau"])
def test_the_code_plans_the_learning_rates_that_aquadash_plans(schedule: str) -> None:
    config = with_values(
        RunConfig(),
        {"training.schedule": schedule, "training.epochs": 9, "training.schedule_epochs": 2.0,
         "training.warmup_epochs": 1.5, "training.learning_rate": 0.3},
    )  # fmt: skip
    text = train_script(Recipe("a", config, NONE, "f" * 64, (32, 32, 3), 5, "float32", None, True))
    cell = next(part for part in text.split("# %%") if "def learning_rates" in part)
    functions = cell[cell.index("def rate_at") :]
    known: dict[str, Any] = {"np": np, "math": math, "LEARNING_RATE": 0.3, "EPOCHS": 9, "MONITOR": "val_loss"}
    exec("from __future__ import annotations\n" + functions, known)
    losses = [3.0, 2.0, 2.5, 2.4, 2.3, 1.0, 1.5, 1.6]
    history = [EpochRecord(n, 1.0, 0.5, loss, 0.5, 0.1, 1.0) for n, loss in enumerate(losses, start=1)]
    for epoch in range(1, 10):
        wanted = learning_rates(config.training, epoch=epoch, batches=7, history=history[: epoch - 1])
        rows = [{"val_loss": record.val_loss} for record in history[: epoch - 1]]
        np.testing.assert_array_equal(known["learning_rates"](epoch, 7, rows), wanted)


def test_a_title_of_a_pipeline_does_not_begin_a_cell() -> None:
    steps, config = PIPELINES["notebook-1"].branches[0].operators, RunConfig()

    def cells(title: str) -> int:
        spec = PipelineSpec("mine", title, "", (Branch(title, steps),))
        text = train_script(Recipe("a", config, AugmentationPlan((spec,)), "f", (32, 32, 3), 5, "float32", None, True))
        return len(json.loads(train_notebook(text))["cells"])

    assert {cells(title) for title in ("%% [markdown]", "%%", "x\n# %%")} == {cells("Mine")}


def test_a_name_never_becomes_code() -> None:
    name = 'x\'; import os\n"""\\ # %% {{ 7 * 7 }} \N{OTTER}'
    text = train_script(Recipe(name, RunConfig(), NONE, "f", (32, 32, 3), 5, "float32", None, True))
    (assigned,) = [
        node.value for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "RUN"
    ]  # fmt: skip
    assert ast.literal_eval(assigned) == name


def test_no_script_uses_a_name_that_it_does_not_define(tmp_path: Path) -> None:
    variants = {
        **{name: preset(name).config for name in ("notebook", "notebook-fixed", "baseline", "backbone")},
        **{f"case-{number}": config for number, config in enumerate(CONFIGS.values())},
        "head": with_values(preset("backbone").config, {"model.fine_tuning": "head", "training.device": "cpu"}),
        "gpu": with_values(RunConfig(), {"data.source": "cifar100", "training.device": "gpu"}),
    }
    for name, config in variants.items():
        plan = augment.plan(config.augmentation)
        for data_in_zip in (False, True):
            recipe = Recipe("a", config, plan, "f", (32, 32, 3), 5, "mixed_bfloat16", 1, data_in_zip)
            (tmp_path / f"{name}-{data_in_zip}.py").write_text(train_script(recipe), encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E9", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-3000:]
