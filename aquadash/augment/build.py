"""From operators written down to imgaug augmenters that draw from a given seed and from nothing else.

This module imports imgaug at its start; import it where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import imgaug.augmenters as iaa
import numpy as np

from aquadash.augment.multiply import BatchMultiply
from aquadash.augment.noise import FrequencyNoiseMasks
from aquadash.augment.operators import operator_info, settings_of
from aquadash.augment.spec import Operator, Range, Value

#: The part of an operator's seed that decides which images it is applied to.
_SOMETIMES = 1_000_000


def build(operators: Iterable[Operator], *, seed: np.random.SeedSequence) -> iaa.Sequential:
    """Build the augmenter that applies operators in order.

    Every augmenter in the tree gets a generator of its own, derived from ``seed`` and its position. Without that imgaug
    takes a seed from a generator that the whole process shares, already when an augmenter is made; this is also why
    lists of children are wrapped here and never by imgaug.

    Args:
        operators: The operators; they have passed :func:`aquadash.augment.check.check`.
        seed: Decides every random choice of the augmenter's first call.
    """
    children = [
        _step(operator, _derived(seed, 1 + number)) for number, operator in enumerate(operators) if operator.enabled
    ]
    return iaa.Sequential(children, seed=_derived(seed, 0))


def _step(operator: Operator, seed: np.random.SeedSequence) -> iaa.Augmenter:
    """Build one operator, which may be for some of the images only."""
    augmenter = _augmenter(operator, seed)
    if operator.probability == 1.0:
        return augmenter
    return iaa.Sometimes(operator.probability, then_list=augmenter, seed=_derived(seed, _SOMETIMES))


def _augmenter(operator: Operator, seed: np.random.SeedSequence) -> iaa.Augmenter:
    """Build one operator and those inside it."""
    if operator.name == "Sequential":
        return build(operator.slot("children"), seed=seed)
    slots: dict[str, Any] = {
        slot: build(operator.slot(slot), seed=_derived(seed, 1 + number))
        for number, (slot, _) in enumerate(operator_info(operator.name).slots)
    }
    settings = settings_of(operator)
    own = _derived(seed, 0)
    if operator.name == "BlendAlphaFrequencyNoise":
        return iaa.BlendAlphaMask(_masks(settings), **slots, seed=own)
    arguments = {name: _argument(value) for name, value in settings.items()}
    kind = BatchMultiply if operator.name == "Multiply" else getattr(iaa, operator.name)
    return kind(**arguments, **slots, seed=own)


def _masks(settings: dict[str, Value]) -> FrequencyNoiseMasks:
    """Our own masks in place of imgaug's, which are slow and at times above 1."""
    return FrequencyNoiseMasks(
        exponent=_ends(settings["exponent"]),
        size_px_max=_whole_ends(settings["size_px_max"]),
        iterations=_whole_ends(settings["iterations"]),
        sigmoid=_ends(settings["sigmoid"])[0],
        per_channel=_ends(settings["per_channel"])[0],
    )


def _ends(value: Value) -> tuple[float, float]:
    """Least and greatest value of a setting."""
    return (float(value.low), float(value.high)) if isinstance(value, Range) else (float(value), float(value))


def _whole_ends(value: Value) -> tuple[int, int]:
    low, high = _ends(value)
    return int(low), int(high)


def _argument(value: Value) -> Any:
    """A setting as imgaug takes it: a tuple is a range there, which must not be empty."""
    if isinstance(value, Range):
        return (value.low, value.high) if value.low < value.high else value.low
    return value


def _derived(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """The seed of the part with that number; unlike ``SeedSequence.spawn`` it leaves the parent unchanged."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))
