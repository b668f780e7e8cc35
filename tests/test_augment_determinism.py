"""The same seed gives the same bytes, whatever else draws random numbers and in any process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from aquadash.augment import OPERATORS, Branch, apply
from tests.catalogue_cases import all_ends, ends, with_settings

_IMAGES = np.random.default_rng(6).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)

_ROOT = Path(__file__).parents[1]

_ANOTHER_PROCESS = """
import json
from tests.test_augment_determinism import digests, disturb
disturb(77)
print(json.dumps(digests(reverse=True)))
"""


def disturb(seed: int) -> None:
    """Bring every generator that a library might draw from into another state."""
    import imgaug

    np.random.seed(seed)
    np.random.rand(seed)
    imgaug.seed(seed)
    cv2.setRNGSeed(seed)


def digests(*, reverse: bool = False) -> dict[str, str]:
    """A digest of what each operator makes with drawn settings, in the order of the catalogue or the other way."""
    found = {}
    for info in sorted(OPERATORS.values(), key=lambda one: one.name, reverse=reverse):
        operators = list(all_ends(info))
        results = [apply(_IMAGES, Branch("one", (one,)), seed=8) for one in (operators[0], operators[-1])]
        found[info.name] = hashlib.sha256(np.stack(results).tobytes()).hexdigest()
    return found


def test_every_operator_gives_the_same_bytes_after_other_draws_and_in_another_process() -> None:
    disturb(1)
    first = digests()
    disturb(2)
    again = digests(reverse=True)
    assert [name for name in OPERATORS if first[name] != again[name]] == []
    command = [sys.executable, "-c", _ANOTHER_PROCESS]
    there = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT).stdout)
    assert [name for name in OPERATORS if first[name] != there[name]] == []


def test_every_operator_leaves_numpys_generator_alone() -> None:
    disturb(1)  # imgaug makes a generator for the whole process at its first use
    for info in OPERATORS.values():
        assert info.example is not None
        np.random.seed(3)
        apply(_IMAGES[:1], Branch("one", (info.example,)), seed=8)
        assert np.random.randint(2**31) == np.random.RandomState(3).randint(2**31), info.name


def test_another_seed_gives_other_draws() -> None:
    for info in OPERATORS.values():
        if info.slots or not any(parameter.drawn for parameter in info.parameters):
            continue
        drawn = with_settings(info, **{one.name: ends(one)[-1] for one in info.parameters if one.drawn})
        first, second = (apply(_IMAGES, Branch("one", (drawn,)), seed=seed) for seed in (1, 2))
        assert not np.array_equal(first, second), info.name
