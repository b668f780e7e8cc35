"""The comparison of a run with its repeat, number by number, to see whether the same comes out again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aquadash.config import config_diff
from aquadash.errors import RunError
from aquadash.models.network_file import stored_weights
from aquadash.store.types import Run, RunStatus

if TYPE_CHECKING:
    from aquadash.store.runs import RunStore

_FIGURES = "final figures"

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Comparison:
    """The comparison of one kind of numbers of two runs."""

    #: The kind of numbers: ``"metrics by epoch"``, ``"weights"`` ...
    name: str
    #: The number of compared numbers.
    count: int
    #: The number of different ones, in any bit of their value.
    different: int
    #: The largest absolute difference; infinite for arrays of different shapes.
    max_difference: float
    #: The place of the largest difference; empty for none.
    where: str = ""

    @property
    def identical(self) -> bool:
        """True if every number is the same."""
        return self.different == 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, which has no infinity: None stands for it."""
        return {**asdict(self), "max_difference": _finite(self.max_difference), "identical": self.identical}


@dataclass(frozen=True)
class Reproduction:
    """The comparison of a run with its repeat."""

    run_id: str
    #: The id of the repeat.
    repeat_id: str
    #: The comparisons of all kinds of numbers.
    parts: tuple[Comparison, ...]
    #: Other differences of the two runs, possible reasons in plain words.
    reasons: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """True if all numbers of all parts are the same."""
        return all(part.identical for part in self.parts)

    @property
    def max_difference(self) -> float:
        """The largest absolute difference of any two numbers, 0 if they are identical."""
        return max(part.max_difference for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "run_id": self.run_id,
            "repeat_id": self.repeat_id,
            "identical": self.identical,
            "max_difference": _finite(self.max_difference),
            "parts": [part.to_dict() for part in self.parts],
            "reasons": list(self.reasons),
        }


def _finite(difference: float) -> float | None:
    return difference if math.isfinite(difference) else None


def reproduction(store: RunStore, run_id: str, repeat_id: str) -> Reproduction:
    """Compare all stored numbers of a finished run, times aside, with those of its repeat.

    Raises:
        RunError: One of the runs has not finished, or a file is missing.
        StorageError: A file is damaged.
    """
    run, repeat = store.get(run_id), store.get(repeat_id)
    for each in (run, repeat):
        if each.status is not RunStatus.FINISHED:
            why = f": {each.message}" if each.message else ""
            raise RunError(f"{each.name} is {each.status}{why}. Two finished runs are needed for a comparison.")
    sides = [_numbers(store, each) for each in (run, repeat)]
    # Compare figures that both runs have, because a later version may store more of them.
    figures = {*sides[0][_FIGURES]} & {*sides[1][_FIGURES]}
    for side in sides:
        side[_FIGURES] = {name: side[_FIGURES][name] for name in figures}
    names = [name for name in sides[0] if name in sides[1]]
    return Reproduction(
        run_id,
        repeat_id,
        tuple(compare_arrays(name, sides[0][name], sides[1][name]) for name in names),
        tuple(_reasons(run, repeat, store.environment(run_id), store.environment(repeat_id))),
    )


def compare_arrays(name: str, a: Mapping[str, NDArray[Any]], b: Mapping[str, NDArray[Any]]) -> Comparison:
    """Compare named arrays of numbers value by value; two NaN are equal."""
    count = different = 0
    largest, where = 0.0, ""
    for key in sorted({*a, *b}):
        first, second = a.get(key), b.get(key)
        if first is None or second is None or first.shape != second.shape:
            size = max(0 if side is None else side.size for side in (first, second))
            count, different, largest, where = count + size, different + size, math.inf, where or key
            continue
        count += first.size
        unequal = ~((first == second) | ((first != first) & (second != second)))
        if not unequal.any():
            continue
        different += int(unequal.sum())
        gaps = np.abs(first[unequal].astype(np.float64) - second[unequal].astype(np.float64))
        gap = float(np.nan_to_num(gaps, nan=math.inf, posinf=math.inf).max())
        if gap > largest:
            largest, where = gap, key
    return Comparison(name, count, different, largest, where)


def _numbers(store: RunStore, run: Run) -> dict[str, Arrays]:
    """Return the numbers by kind, without the seconds, which differ between equal runs."""
    parts = {
        "metrics by epoch": {
            f"{name}, epoch {record.epoch}": np.array(value)
            for record in store.history(run.run_id)
            for name, value in asdict(record).items()
            if name not in ("seconds", "epoch")
        },
        _FIGURES: {name: np.array(value) for name, value in run.metrics.items() if name != "seconds"},
        "weights": stored_weights(store.model_path(run.run_id), lambda one: np.asarray(one[()])),
        "predictions of the test images": asdict(store.predictions(run.run_id)),
    }
    validation = store.validation_predictions(run.run_id)
    if validation is not None:
        parts["predictions of the validation images"] = asdict(validation)
    return parts


def _reasons(run: Run, repeat: Run, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the differences of settings, data, software and hardware in words."""
    reasons = [
        f"The setting {name} is {values[0]!s} in one and {values[1]!s} in the other."
        for name, values in config_diff([run.config, repeat.config]).items()
    ]
    if run.dataset_fingerprint != repeat.dataset_fingerprint:
        reasons.append("The images are not the same: the data set has another fingerprint.")
    new = _described(after)
    changed = {name: old for name, old in _described(before).items() if name in new and old != new[name]}
    return reasons + [f"{name} was {_text(old)} and is {_text(new[name])}." for name, old in changed.items()]


def _described(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the versions of the packages, and what else may change the numbers, by their names in a sentence."""
    return {
        **dict(sorted(environment.get("versions", {}).items())),
        "Python": environment.get("python"),
        "AquaDash": environment.get("aquadash"),
        "The processor": environment.get("processor"),
        "The number of processor cores": environment.get("cpu_count"),
        "The device of TensorFlow": environment.get("devices"),
        "The precision of the numbers": environment.get("precision"),
        "The operating system": environment.get("platform"),
    }


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "unknown" if value is None else str(value)
