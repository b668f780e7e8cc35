"""A run as a script that repeats it without AquaDash.

The script is one template in the percent format (``# %%`` begins a cell), of which :mod:`aquadash.export.notebook`
makes a notebook, so that the two cannot differ. Everything that comes from a config enters it as a Python literal; no
text of a person becomes code.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aquadash import models
from aquadash.augment import AugmentationPlan
from aquadash.config import SETTINGS, ModelConfig, RunConfig, TrainingConfig, flatten
from aquadash.errors import AquaDashError, RunError
from aquadash.export.augmentation_code import AugmentationCode, augmentation_code, defined
from aquadash.export.network_code import has_code, network_code
from aquadash.export.source import definitions

if TYPE_CHECKING:
    import jinja2

_OPTIMIZERS = {"rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}

_HALF_COSINE = (
    "def half_cosine(start, end, share):",
    "    share = min(max(share, 0.0), 1.0)",
    "    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2",
    "",
)


@dataclass(frozen=True)
class Recipe:
    """All that decides what a run's script says.

    Attributes:
        name: What people call the run.
        config: Its settings.
        plan: What becomes of its training images.
        fingerprint: SHA-256 of the data set's content.
        image_shape: Height, width and channels.
        num_classes: How many classes there are.
        precision: The Keras dtype policy that it was trained with.
        last_epoch: The epoch at which somebody stopped it; None for a run that ended by itself.
        data_in_zip: Whether ``data.npz`` travels with the script.
    """

    name: str
    config: RunConfig
    plan: AugmentationPlan
    fingerprint: str
    image_shape: tuple[int, int, int]
    num_classes: int
    precision: str
    last_epoch: int | None
    data_in_zip: bool


def why_no_script(config: RunConfig) -> str:
    """Why a run cannot be repeated without AquaDash; empty where it can."""
    usual = flatten(RunConfig())
    for name, value in flatten(config).items():
        if not SETTINGS[name].script and value != usual[name]:
            return f"Its setting {name} is {str(value)[:60]!r}, which a script without AquaDash does not follow."
    if has_code(config.model):
        return ""
    try:
        network_code(config.model, image_shape=(32, 32, 3), num_classes=2)
    except AquaDashError as error:
        return str(error)
    return ""


def train_script(recipe: Recipe) -> str:
    """The text of ``train.py``.

    Raises:
        RunError: The run cannot be repeated without AquaDash; the message says why.
        ConfigError, UnknownNameError: Its pipeline does not fit the catalogue.
    """
    augmented = recipe.plan.changes or recipe.plan.factor > 1
    augmentation = augmentation_code(recipe.plan) if augmented else None
    template = _environment().get_template("train.py.j2")
    values = _values(recipe, augmentation)
    text = template.render(values)
    if augmentation is not None:
        others = defined(template.render({**values, "augmentation_code": ""}))
        if others & augmentation.names:
            raise RunError(
                f"The code of its augmentation and that of its training both use {sorted(others & augmentation.names)}."
            )
    # At most two blank lines, as people write Python.
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _values(recipe: Recipe, augmentation: AugmentationCode | None) -> dict[str, Any]:
    config, training, model = recipe.config, recipe.config.training, recipe.config.model
    entry = models.model_entry(model.name)
    arithmetic = needs_arithmetic(model, training)
    last_epoch = min(recipe.last_epoch or training.epochs, training.epochs)
    phases = _phases(config, last_epoch, pretrained=entry.pretrained)
    return {
        "name": recipe.name,
        "seed": config.seed,
        "training": training,
        "last_epoch": last_epoch,
        "fingerprint": recipe.fingerprint,
        "precision": recipe.precision,
        "cifar100": config.data.source == "cifar100" and not recipe.data_in_zip,
        "in_zip": recipe.data_in_zip,
        "augmented": augmentation is not None,
        "copies": config.augmentation.mode == "copies" or not recipe.plan.changes,
        "factor": recipe.plan.factor,
        "planned": _words(recipe.plan),
        "augmentation_code": augmentation.body if augmentation else "",
        "mixing": config.augmentation.mixing,
        "mixing_alpha": config.augmentation.mixing_alpha,
        "network_code": network_code(model, image_shape=recipe.image_shape, num_classes=recipe.num_classes),
        "arithmetic_code": definitions("aquadash.training.faster") if arithmetic else "",
        "pretrained": entry.pretrained,
        "fine_tuning": model.fine_tuning,
        "top": entry.top,
        "test_time_flip": model.test_time_flip,
        "optimizer": _optimizer(training, one_pass=arithmetic),
        "schedule_code": "\n".join(f"    {line}" if line else "" for line in _schedule(training)),
        "phases": phases,
        "phases_code": _phases_code(phases),
        "imports": _imports(
            cifar100=config.data.source == "cifar100" and not recipe.data_in_zip,
            arithmetic=arithmetic,
            augmentation=augmentation.imports if augmentation else (),
        ),
    }


def _words(plan: AugmentationPlan) -> str:
    """The plan in words, without the titles of pipelines, which may be anything."""
    return f"{plan.factor} images for each training image" if plan.factor > 1 else "a changed version of each image"


def _imports(*, cifar100: bool, arithmetic: bool, augmentation: Sequence[str]) -> str:
    """All import statements, each module's once, Python's own first."""
    lines = {f"import {name}" for name in ("csv", "hashlib", "json", "math", "time")}
    lines |= {"import keras", "import numpy as np", "import tensorflow as tf", "from keras import layers"}
    lines |= {"from pathlib import Path"} | set(augmentation)
    if cifar100:
        lines |= {"import os", "import pickle", "import tarfile"}
    if arithmetic:
        lines |= {"import functools", "from collections.abc import Callable, Iterator"}
    plain = {line for line in lines if line.startswith("import ")}
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for line in lines - plain:
        module, _, names = line.removeprefix("from ").partition(" import ")
        taken[module] |= set(names.split(", "))
    every = sorted(plain) + [f"from {module} import {', '.join(sorted(taken[module]))}" for module in sorted(taken)]
    own = [line for line in every if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    return "\n".join([*own, "", *(line for line in every if line not in own)])


def needs_arithmetic(model: ModelConfig, training: TrainingConfig) -> bool:
    """Whether any layer or the optimizer may work in the order of :mod:`aquadash.training.faster`."""
    if training.optimizer == "sgd" or model.name == "notebook":
        return True
    if model.name == "cnn":
        tiled = model.kernel_size > 1 and model.kernel_size == model.strides
        return tiled or bool(model.dense_units) or model.summary == "flatten"
    return bool(model.dense_units)


def _phases(config: RunConfig, last_epoch: int, *, pretrained: bool) -> list[dict[str, Any]]:
    """The stretches of epochs that train the same weights, as in :mod:`aquadash.training.phases`."""
    whole = {"first_epoch": 1, "last_epoch": last_epoch, "on_features": False, "is_last": True}
    if not pretrained:
        return [whole]
    head_epochs = config.training.head_epochs
    if config.model.fine_tuning == "head" or head_epochs >= config.training.epochs:
        return [{**whole, "on_features": True}]
    if head_epochs == 0:
        return [whole]
    head = {"first_epoch": 1, "last_epoch": min(head_epochs, last_epoch), "on_features": True, "is_last": False}
    return [head] if last_epoch <= head_epochs else [head, {**whole, "first_epoch": head_epochs + 1}]


def _phases_code(phases: list[dict[str, Any]]) -> str:
    return "[\n" + "".join(f"    {_quoted(phase)},\n" for phase in phases) + "]"


def _quoted(values: dict[str, Any]) -> str:
    return "{" + ", ".join(f'"{key}": {value!r}' for key, value in values.items()) + "}"


def _optimizer(training: TrainingConfig, *, one_pass: bool) -> str:
    decay = training.weight_decay if training.optimizer == "adamw" else training.weight_decay or None
    arguments = f"LEARNING_RATE, weight_decay={decay!r}"
    if training.optimizer in _OPTIMIZERS:
        return f"keras.optimizers.{_OPTIMIZERS[training.optimizer]}({arguments})"
    if training.optimizer == "momentum":
        arguments += f", momentum={training.momentum!r}"
    elif training.optimizer == "nesterov":
        arguments += f", momentum={training.momentum!r}, nesterov=True"
    return f"{'OnePassSGD' if one_pass else 'keras.optimizers.SGD'}({arguments})"


def _schedule(training: TrainingConfig) -> list[str]:
    """Lines that set ``factor`` from ``position``; the formulas of :mod:`aquadash.training.schedules`."""
    factor, epochs = training.schedule_factor, training.schedule_epochs
    if training.schedule == "step":
        return [f"factor = {factor!r} ** math.floor(position / {epochs!r} + 1e-9)"]
    if training.schedule == "exponential":
        return [f"factor = {factor!r} ** (position / {epochs!r})"]
    if training.schedule == "cosine":
        begin = min(training.warmup_epochs, training.epochs)
        return [
            *_HALF_COSINE,
            f"factor = half_cosine(1.0, 0.0, (position - {begin!r}) / max(EPOCHS - {begin!r}, 1e-9))",
        ]
    if training.schedule == "one_cycle":
        return [
            *_HALF_COSINE,
            "# Up from 1/25 of the peak for 30 % of the epochs, then down to 1/10,000 of that (Smith and Topin 2018).",
            "share = position / EPOCHS",
            "if share < 0.3:",
            "    factor = half_cosine(1 / 25, 1.0, share / 0.3)",
            "else:",
            "    factor = half_cosine(1.0, 1 / 25 / 10_000, (share - 0.3) / (1 - 0.3))",
        ]
    return ["factor = 1.0"]


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    # Python code, not markup: what comes from outside goes through ``py``, which writes literals.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("aquadash.export"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["py"] = _literal
    return environment


def _literal(value: object) -> str:
    """A plain value as Python source of ASCII characters."""
    if not isinstance(value, str | int | float | bool | tuple | None):
        raise TypeError(f"{type(value).__name__} cannot be written as a literal")
    return ascii(value)
