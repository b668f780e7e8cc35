"""A run as a script that repeats it without AquaDash, and the same as a notebook.

The script is one template in the percent format (``# %%`` begins a cell). Everything that comes from a config enters it
as a Python literal; no text of a person becomes code.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aquadash import models
from aquadash.augment import AugmentationPlan
from aquadash.augment.code import drawing_code
from aquadash.config import RunConfig
from aquadash.export.templating import templates
from aquadash.source import CarriedSource, sorted_imports


@dataclass(frozen=True)
class Recipe:
    """Everything that the text of a run's script depends on."""

    #: The run's name.
    name: str
    config: RunConfig
    #: The augmentation of its training images.
    plan: AugmentationPlan
    #: SHA-256 of the data set's content.
    fingerprint: str
    #: The Keras dtype policy of the training.
    precision: str
    #: The epoch at which a person stopped the run; None for a run that ended by itself.
    last_epoch: int | None
    #: Whether ``data.npz`` travels with the script.
    data_in_zip: bool


def why_no_script(config: RunConfig) -> str:
    """Say why a run cannot be repeated without AquaDash; empty where it can."""
    entry = models.model_entry(config.model.name)
    if entry.pretrained and entry.weights_file is None:
        return (
            f"The network {config.model.name!r} starts from weights that other people have trained on ImageNet and "
            "offer for download. They are no part of the run, so a script without AquaDash cannot repeat it; the "
            "trained model itself is complete."
        )
    return ""


def train_script(recipe: Recipe) -> str:
    """Return the text of ``train.py``."""
    augmented = recipe.plan.changes or recipe.plan.factor > 1
    # The template writes the one entry that the script needs of the table of networks.
    source = CarriedSource(defined_names={"model_entry"})
    environment = templates(autoescape=False)
    environment.filters |= {"py": _literal, "settings": _settings}
    text = environment.get_template("train.py.j2").render(_values(recipe, augmented=augmented), carry=source.take)
    modules = ("csv", "hashlib", "json", "keras", "numpy as np", "tensorflow as tf", "time")
    imports = source.imports | {f"import {module}" for module in modules}
    imports |= {"from pathlib import Path", "from types import SimpleNamespace"}
    if _downloads(recipe):
        imports |= {"import os", "import pickle", "import tarfile"}
    if augmented:
        needed, drawing = drawing_code(recipe.plan)
        imports |= needed
        text = text.replace("\n# AUGMENTATION CODE\n", f"\n{drawing}\n", 1)
    # The imports and plain types at the top depend on the code that was rendered below them.
    text = text.replace("\n# IMPORTS\n", f"\n{sorted_imports(imports)}\n", 1)
    plain_types = " = ".join([*sorted(source.plain_types), "SimpleNamespace"])
    text = text.replace("\n# PLAIN TYPES\n", f"\n{plain_types}\n", 1)
    # At most two blank lines, as PEP 8 wants.
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _downloads(recipe: Recipe) -> bool:
    """Say whether the script reads its images from CIFAR-100's own archive."""
    return recipe.config.data.source == "cifar100" and not recipe.data_in_zip


def _values(recipe: Recipe, *, augmented: bool) -> dict[str, Any]:
    config, training, model = recipe.config, recipe.config.training, recipe.config.model
    entry, plan = models.model_entry(model.name), recipe.plan

    def source_of(function: Callable[..., object] | None) -> str:
        return f"{function.__module__}:{function.__name__}" if function else ""

    return {
        "name": recipe.name,
        "seed": config.seed,
        "training": training,
        "decided": training.decided_by_validation,
        "model": {name: value for name, value in model if models.uses(model.name, f"model.{name}")},
        "last_epoch": min(recipe.last_epoch or training.epochs, training.epochs),
        "fingerprint": recipe.fingerprint,
        "precision": recipe.precision,
        "cifar100": _downloads(recipe),
        "in_zip": recipe.data_in_zip,
        "augmented": augmented,
        "copies": config.augmentation.mode == "copies" or not plan.changes,
        "factor": plan.factor,
        # No titles of pipelines: they are untrusted text.
        "planned": (
            f"{plan.factor} images for each training image" if plan.factor > 1 else "a changed version of each image"
        ),
        "mixing": config.augmentation.mixing,
        "mixing_alpha": config.augmentation.mixing_alpha,
        "pretrained": entry.pretrained,
        "build": source_of(entry.build),
        "load": source_of(entry.load),
        "weights_file": entry.weights_file.name if entry.weights_file else "",
        "last_frozen": entry.last_frozen,
        "test_time_flip": model.test_time_flip,
    }


def _literal(value: object) -> str:
    """Write a plain value as a Python literal of ASCII characters."""
    if not isinstance(value, str | int | float | bool | tuple | None):
        raise TypeError(f"{type(value).__name__} cannot be written as a literal")
    return ascii(value)


def _settings(section: Mapping[str, object]) -> str:
    return "SimpleNamespace(\n" + "".join(f"    {name}={_literal(value)},\n" for name, value in section.items()) + ")"


def train_notebook(script: str) -> str:
    """Return the JSON of ``notebook.ipynb`` with the cells of a script in the percent format."""
    import nbformat

    cells: list[Any] = []
    # [1:]: the text before the first mark of a cell is empty.
    parts = re.split(r"^# %%( \[markdown\])?$", script, flags=re.MULTILINE)[1:]
    for number, (is_text, part) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        source = part.strip("\n")
        if is_text:
            cell = nbformat.v4.new_markdown_cell(re.sub(r"^# ?", "", source, flags=re.MULTILINE))
        else:
            cell = nbformat.v4.new_code_cell(source)
        # nbformat's ids are random; the same run must give the same file.
        cell["id"] = f"cell-{number}"
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"
