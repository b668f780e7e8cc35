"""Tests of the script that repeats a run without AquaDash, to the last bit."""

import ast
import functools
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aquadash import augment, data, models
from aquadash.augment import OPERATORS, PIPELINES, AugmentationPlan, Branch, PipelineSpec
from aquadash.augment.code import drawing_code
from aquadash.config import DEFINITIONS, SETTINGS, AugmentationConfig, ModelConfig, RunConfig, flatten, with_values
from aquadash.data import Dataset
from aquadash.export import bundle, script
from aquadash.export.script import Recipe, train_notebook, train_script
from aquadash.models import backbone
from aquadash.presets import preset
from aquadash.store import RunStatus, open_store
from aquadash.training import hardware
from aquadash.training.fit import fit
from tests.support.drawn_images import few_drawings, use_images
from tests.support.live_runs import train
from tests.support.runs import make_run
from tests.support.tiny_networks import QUICK, Listener, assigned

CONFIGS = {
    "the small modern network": assigned(
        "model.filters=8,16 training.epochs=3 training.batch_size=16 training.patience=1",
        base=preset("baseline").config,
    ),
    "every rarer setting": assigned(
        """
        seed=5 training.epochs=4 training.batch_size=16
        augmentation.pipeline=notebook-1:2,mirror-shift augmentation.mode=fresh
        augmentation.keep_originals=true augmentation.mixing=cutmix
        model.name=cnn model.filters=8,8 model.normalization=symmetric model.residual=true model.convolutions=2
        model.activation=gelu model.dense_units=16 model.l2=0.001
        training.optimizer=adam training.weight_decay=0.01 training.learning_rate=0.01 training.schedule=plateau
        training.schedule_epochs=1 training.warmup_epochs=1 training.class_weights=balanced
        training.label_smoothing=0.1 training.from_logits=true training.monitor=val_accuracy
        """
    ),
    "a perceptron and label noise": assigned(
        """
        augmentation.pipeline=notebook-1 model.name=perceptron model.dense_units=16 model.normalization=standardize
        model.l1=0.001 training.label_noise=0.3 training.epochs=2 training.batch_size=16
        """
    ),
    "a pretrained body, first its head alone": assigned(
        """
        training.epochs=2 training.batch_size=16 training.head_epochs=1 training.restore_best_weights=true
        training.precision=float32 model.dense_units=16
        """,
        base=preset("backbone").config,
    ),
}


@pytest.fixture(scope="module")
def drawn() -> Dataset:
    """Return every other row and column of some drawings."""
    drawn = few_drawings(train_per_class=13, test_per_class=6)
    train, test = (replace(split, images=split.images[:, ::2, ::2]) for split in (drawn.train, drawn.test))
    return replace(drawn, train=train, test=test)


#: A program that imports the libraries once, which takes seconds, and runs each script in a fork of itself.
_RUNNER = """
import os, sys, traceback
import keras, numpy, tensorflow

for line in sys.stdin:
    folder, program = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        os.chdir(folder)
        sys.path[0] = folder
        sys.argv = [program]
        sys.stdout = sys.stderr = open("said.txt", "w")
        try:
            # A notebook has no __file__.
            names = {"__name__": "__main__"} | ({"__file__": program} if program == "train.py" else {})
            exec(compile(open(program).read(), program, "exec"), names)
            status = 0
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        os._exit(status)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@functools.cache
def _runner() -> subprocess.Popen[str]:
    """Start the program for the first script; it ends with the tests, which close its input."""
    return subprocess.Popen(
        [sys.executable, "-c", _RUNNER],
        cwd="/",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def execute(folder: Path, program: str = "train.py") -> dict[str, Any]:
    """Run a script that cannot import AquaDash; return its comparison with the run."""
    (folder / "aquadash.py").write_text("raise ImportError('a script to take home needs no AquaDash')")
    runner = _runner()
    print(folder, program, sep="\t", file=runner.stdin, flush=True)
    assert runner.stdout.readline() == "0\n", (folder / "said.txt").read_text()[-3000:]
    return dict(json.loads((folder / "repeated" / "comparison.json").read_text()))


@pytest.mark.slow
@pytest.mark.usefixtures("without_detector")
@pytest.mark.parametrize("case", CONFIGS)
def test_the_script_repeats_the_run_to_the_last_bit(case: str, drawn: Dataset, tmp_path: Path) -> None:
    config = CONFIGS[case]
    result = fit(config, drawn, listener=Listener())
    plan, precision = augment.plan(config.augmentation), hardware.precision(config.training)
    recipe = Recipe("mine", config, plan, drawn.fingerprint, precision, last_epoch=None, data_in_zip=True)
    (tmp_path / "train.py").write_text(train_script(recipe), encoding="utf-8")
    np.savez(tmp_path / "predictions.npz", probabilities=result.predictions.probabilities)
    rows = [asdict(record) for record in result.history]
    lines = [",".join(rows[0]), *(",".join(repr(value) for value in row.values()) for row in rows)]
    (tmp_path / "history.csv").write_text("\n".join(lines), encoding="utf-8")
    bundle.data_file(tmp_path, drawn)
    if path := backbone.WEIGHTS_FILES.get(config.model.name):
        shutil.copy(path, tmp_path)

    said = execute(tmp_path)
    assert said["identical"], said
    assert said["epochs"] == len(result.history)
    assert said["val_accuracy"] == result.val_accuracy


@pytest.mark.slow
def test_script_and_notebook_give_the_run_s_metrics_and_notice_differences(
    without_detector: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_images(monkeypatch, few_drawings(train_per_class=20, test_per_class=6))
    monkeypatch.setattr(bundle, "report_html", lambda *_: "tests/export/test_report.py looks at it")
    store, taken_home = open_store(), tmp_path / "unpacked"
    config = with_values(QUICK, {"augmentation.pipeline": "notebook-1", "model.name": "notebook"})
    run = train(store, make_run(store, "to take home", config, status=RunStatus.QUEUED).run_id)
    bundle.export_run(store, run.run_id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(taken_home)
    metrics = json.loads((taken_home / "run.json").read_text())["run"]["metrics"]

    said = execute(taken_home)
    assert said["identical"], said
    assert said["test_accuracy"] == metrics["test_accuracy"]
    assert (said["val_loss"], said["val_accuracy"]) == (metrics["val_loss"], metrics["val_accuracy"])

    (taken_home / "repeated" / "comparison.json").unlink()
    with np.load(taken_home / "predictions.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    kept["probabilities"][3, 2] += 0.25
    np.savez(taken_home / "predictions.npz", **kept)
    cells = json.loads((taken_home / "notebook.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    (taken_home / "cells.py").write_text("\n".join(code), encoding="utf-8")
    differences = {**said["largest_differences"], "probabilities": pytest.approx(0.25)}
    changed = {"identical": False, "largest_differences": differences}
    assert execute(taken_home, "cells.py") == said | changed

    with np.load(taken_home / "data.npz") as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    assert np.array_equal(kept["test_images"], data.load("synthetic").test.images)
    kept["test_images"][0, 0, 0, 0] ^= 1
    np.savez(taken_home / "data.npz", **kept)
    with pytest.raises(AssertionError, match="fingerprint"):
        execute(taken_home)


PLANS = {
    "copies": augment.plan(AugmentationConfig(pipeline="notebook", copies=2)),
    "originals": augment.plan(AugmentationConfig(pipeline="notebook-1", keep_originals=True)),
    "a mixture": augment.plan(
        AugmentationConfig(pipeline="notebook-4:3, mirror-shift:1, notebook", copies=2, keep_originals=True)
    ),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_code_draws_the_images_that_aquadash_draws(plan: AugmentationPlan) -> None:
    images = np.random.default_rng(0).integers(0, 256, (600, 8, 8, 3), dtype=np.uint8)
    imports, body = drawing_code(plan)
    known: dict[str, Any] = {"np": np}
    exec("\n".join(["from __future__ import annotations", *sorted(imports), body]), known)
    np.testing.assert_array_equal(known["augment"](images, 7), augment.draw(images, plan, seed=7))


def _another_value(name: str, config: RunConfig) -> Any:
    """Return a value of a setting that its record allows and the config does not have."""
    setting, value = SETTINGS[name], flatten(config)[name]
    if setting.choices:
        return next(choice for choice in setting.choices if choice != value)
    if setting.kind is bool:
        return not value
    if setting.kind is tuple:
        return (*value, 24)[-2:]
    if setting.kind is str:
        return {
            "data.source": "cifar100",
            "augmentation.pipeline": "notebook-2",
            "model.name": "cnn",
            "augmentation.definitions": _definition("Flipud"),
        }[name]
    assert setting.high is not None, "a number needs a limit"
    higher = value + (setting.high - value) / 2
    return higher if setting.kind is float else value + 1


def _definition(operator: str) -> str:
    step = OPERATORS[operator].example
    return f'{{"mine": {PipelineSpec("mine", "Mine", "", (Branch("All", (step,)),)).to_json()}}}'


def _code(config: RunConfig) -> list[ast.stmt]:
    """Return the statements of the script of a config, without the table of its settings."""
    plan, precision = augment.plan(config.augmentation), hardware.precision(config.training)
    recipe = Recipe("a", config, plan, f"images of {config.data.source}", precision, None, data_in_zip=True)
    tables = {"AUGMENTATION", "MODEL", "TRAINING"}
    return [
        node
        for node in ast.parse(train_script(recipe)).body
        if not (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in tables)
    ]


def _users_with_script(name: str) -> list[RunConfig]:
    """Return a config of each network that uses a setting and has a script; ImageNet's networks have none."""
    configs = [RunConfig(model=ModelConfig(name=model)) for model in models.MODELS if models.uses(model, name)]
    return [config for config in configs if not script.why_no_script(config)]


@pytest.mark.parametrize("name", [name for name in SETTINGS if _users_with_script(name)])
def test_the_script_follows_every_setting(name: str) -> None:
    own = {"augmentation.pipeline": "mine", DEFINITIONS: _definition("Fliplr")}
    base = with_values(
        _users_with_script(name)[0], own if name == DEFINITIONS else {"augmentation.pipeline": "notebook-1"}
    )
    before, after = _code(base), _code(with_values(base, {name: _another_value(name, base)}))
    reads = {ast.unparse(node) for part in before for node in ast.walk(part) if isinstance(node, ast.Attribute)}
    owners = ("config", "config.augmentation", "config.model", "config.training", "training", "TRAINING")
    is_read = any(f"{owner}.{name.rpartition('.')[2]}" in reads for owner in owners)
    assert is_read or list(map(ast.dump, before)) != list(map(ast.dump, after))


def test_every_operator_goes_into_a_script_without_a_clash_of_names() -> None:
    steps = tuple(info.example for info in OPERATORS.values() if info.example is not None)
    assert len(steps) > 100
    spec = PipelineSpec("mine", "Mine", "Made by a test.", (Branch("All", steps),))
    config = with_values(preset("backbone").config, {"model.dense_units": "8", "training.schedule": "cosine"})
    text = train_script(Recipe("a", config, AugmentationPlan((spec,)), "f", "float32", None, False))
    names = [part.name for part in ast.parse(text).body if isinstance(part, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", ["%% [markdown]", "x\n# %%", 'x\'; import os\n"""\\ # %% {{ 7 * 7 }} \N{OTTER}'])
def test_no_text_of_a_person_becomes_code_or_a_cell(name: str) -> None:
    steps = PIPELINES["notebook-1"].branches[0].operators

    def text_of(text: str) -> str:
        plan = AugmentationPlan((PipelineSpec("mine", text, "", (Branch(text, steps),)),))
        return train_script(Recipe(text, RunConfig(), plan, "f", "float32", None, True))

    cells, plain = (json.loads(train_notebook(text_of(text)))["cells"] for text in (name, "Mine"))
    assert len(cells) == len(plain)
    values = [node.value for node in ast.parse(text_of(name)).body if isinstance(node, ast.Assign)]
    names = [value.value for value in values if isinstance(value, ast.Constant)]
    assert name in names


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
            recipe = Recipe("a", config, plan, "f", "mixed_bfloat16", 1, data_in_zip)
            (tmp_path / f"{name}-{data_in_zip}.py").write_text(train_script(recipe), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E9", str(tmp_path)]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout[-3000:]
