"""Builds imgaug's augmenters from operators; all their random numbers come from one seed.

This module imports imgaug at its start; import it where it is needed.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import imgaug.augmenters as iaa
import numpy as np

from aquadash.augment.apply import SOMETIMES
from aquadash.augment.catalogue import OperatorInfo, arguments, operator_info
from aquadash.augment.spec import Operator


def build(operators: Iterable[Operator], *, seed: np.random.SeedSequence) -> iaa.Sequential:
    """Build the augmenter that applies checked operators in order; ``seed`` decides all choices of its first call."""
    # imgaug seeds augmenters without a seed, and lists that it wraps itself, from a generator of the whole process.
    return iaa.Sequential(_steps(operators, seed), seed=_derived(seed, 0))


def _steps(operators: Iterable[Operator], seed: np.random.SeedSequence) -> list[iaa.Augmenter]:
    """Build the enabled steps, each seeded by its position among all steps."""
    return [
        _step(operator, _derived(seed, 1 + number)) for number, operator in enumerate(operators) if operator.enabled
    ]


def _step(operator: Operator, seed: np.random.SeedSequence) -> iaa.Augmenter:
    """Build one operator, which may apply to some of the images only."""
    augmenter = _augmenter(operator, seed)
    if operator.probability == 1.0:
        return augmenter
    return iaa.Sometimes(operator.probability, then_list=augmenter, seed=_derived(seed, SOMETIMES))


def _augmenter(operator: Operator, seed: np.random.SeedSequence) -> iaa.Augmenter:
    info = operator_info(operator.name)
    if info.name == "Sequential":
        return build(operator.slot("children"), seed=seed)
    slots: dict[str, Any] = {}
    for number, (slot, _) in enumerate(info.slots):
        inner, own_seed = operator.slot(slot), _derived(seed, 1 + number)
        slots[slot] = _steps(inner, own_seed) if info.choices else build(inner, seed=own_seed)
        if info.choices and not slots[slot]:
            return iaa.Sequential([], seed=_derived(seed, 0))
    augmenter = _maker(info)(**arguments(operator), **slots, seed=_derived(seed, 0))
    if info.hidden_parts:
        # imgaug has seeded the parts that it makes inside from the generator of the whole process.
        augmenter.seed_(_derived(seed, 0))
    return augmenter


def _maker(info: OperatorInfo) -> Callable[..., iaa.Augmenter]:
    """Return the function or class that makes the augmenter: imgaug's, or our own in its place."""
    own = info.maker or info.quick
    if not own:
        return getattr(iaa, info.name)
    module, name = own.split(":")
    return getattr(import_module(f"aquadash.augment.{module}"), name)


def _derived(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """Return the seed of a numbered part; unlike ``SeedSequence.spawn``, this leaves the parent unchanged."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))
