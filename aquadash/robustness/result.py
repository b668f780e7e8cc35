"""What is known of a run's robustness: which images it still gets right when they are changed.

For each condition (a corruption at a severity, or a branch of an augmentation pipeline) it is kept which images were
right, not only how many. So intervals of averages over conditions can say how much they owe to these few test images,
which the conditions share.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from aquadash.errors import StorageError
from aquadash.evaluation import wilson_interval
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, Cell
from aquadash.runs.types import Count, Time

_VERSION = 1


@dataclass(frozen=True, eq=False)
class Condition:
    """The images under one condition.

    Attributes:
        right: bool, shape (n,), whether each image was named rightly.
    """

    right: NDArray[np.bool_]

    @property
    def n(self) -> int:
        """How many images."""
        return len(self.right)

    @property
    def accuracy(self) -> float:
        """Share of the images that were named rightly, 0 to 1."""
        return float(self.right.mean())

    @property
    def accuracy_ci95(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy, (low, high)."""
        return wilson_interval(int(self.right.sum()), self.n)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: ``accuracy, accuracy_ci95, n``."""
        return {"accuracy": self.accuracy, "accuracy_ci95": list(self.accuracy_ci95), "n": self.n}


@dataclass(frozen=True)
class BranchKey:
    """A branch of an augmentation pipeline that changes images.

    Attributes:
        pipeline: The pipeline's name.
        branch: The branch's number, from 0.
        digest: Of the branch's operators, to notice that somebody has edited the pipeline.
    """

    pipeline: str
    branch: int
    digest: str


@dataclass(frozen=True)
class BranchResult:
    """The images as a branch of a pipeline changes them.

    Attributes:
        pipeline_title: For people.
        branch_title: For people.
        condition: Which were right.
    """

    pipeline_title: str
    branch_title: str
    condition: Condition


@dataclass(frozen=True)
class Mean:
    """An average over conditions with its 95 % interval, both as shares (1 is 100 %)."""

    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class RobustnessResult:
    """How a run's accuracy falls under changed images.

    Attributes:
        identity: What the figures belong to: ``model_sha256``, ``dataset_fingerprint``, ``seed``, ``images`` (how
            many) and ``test_images`` (of how many). Figures of another identity are not mixed with these.
        measured_at: When the model was loaded, in seconds since 1970 UTC.
        clean: The unchanged images.
        cells: The corruptions, by name and severity.
        branches: The pipelines' branches.
        versions: Of the libraries.
    """

    identity: Mapping[str, Any]
    measured_at: float
    clean: Condition
    cells: Mapping[Cell, Condition] = field(default_factory=dict)
    branches: Mapping[BranchKey, BranchResult] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """True once all fifteen corruptions are measured at all five severities."""
        return len(self.cells) == len(CORRUPTIONS) * len(SEVERITIES)

    @property
    def mean_corruption_error(self) -> Mean | None:
        """The mean of 1 - accuracy over the measured corruptions and severities, None before the first.

        ``mCE = 1/K sum_k (1 - a_k)`` over the K cells (75 when complete). It is *not* divided by the error of AlexNet
        as in the paper of Hendrycks and Dietterich (2019), which has none for these images: unnormalised.

        The interval treats the test images as a sample: with ``e_i`` the share of the cells in which image i is wrong
        and ``s`` the standard deviation of the e_i, it is ``mean(e) +- 1.96 s / sqrt(n)``, cut to 0 to 1.
        """
        errors = self._errors()
        return None if errors is None else _mean(errors, low=0.0)

    @property
    def relative_mean_corruption_error(self) -> Mean | None:
        """What the corruptions add to the error on clean images: ``1/K sum_k (1 - a_k) - (1 - a_clean)``.

        The paper's relative mCE without its division by AlexNet's. Negative if the corruptions helped. The interval is
        that of a paired difference: of ``d_i = e_i - [image i is wrong when clean]``.
        """
        errors = self._errors()
        return None if errors is None else _mean(errors - ~self.clean.right, low=-1.0)

    def curve(self, corruption: str) -> dict[int, Condition]:
        """A corruption by severity, 0 (clean) first; severities that are not measured are left out."""
        measured = {
            severity: self.cells[corruption, severity] for severity in SEVERITIES if self._has(corruption, severity)
        }
        return {0: self.clean, **measured} if measured else {}

    def mean_curve(self) -> dict[int, Mean]:
        """The accuracy by severity as the mean over the corruptions, 0 (clean) first.

        Only severities at which all corruptions that were measured at all are measured, so that the points can be
        compared. Intervals as those of :attr:`mean_corruption_error`.
        """
        names = [name for name in CORRUPTIONS if any(self._has(name, severity) for severity in SEVERITIES)]
        found: dict[int, Mean] = {}
        for severity in SEVERITIES if names else ():
            if all(self._has(name, severity) for name in names):
                right = np.stack([self.cells[name, severity].right for name in names])
                found[severity] = _mean(right.mean(axis=0), low=0.0)
        return {0: Mean(self.clean.accuracy, self.clean.accuracy_ci95), **found} if found else {}

    def loss(self, corruption: str) -> Mean | None:
        """The accuracy that a corruption costs: clean accuracy less the mean over its measured severities."""
        conditions = [condition for severity, condition in self.curve(corruption).items() if severity]
        if not conditions:
            return None
        return _mean(self.clean.right - np.stack([entry.right for entry in conditions]).mean(axis=0), low=-1.0)

    def branch_loss(self, key: BranchKey) -> Mean:
        """The accuracy that a branch of a pipeline costs: clean accuracy less the accuracy on its images."""
        changed = self.branches[key].condition.right
        return _mean(self.clean.right.astype(float) - changed, low=-1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; shares are 0 to 1."""
        return self._plain(lambda condition: condition.to_dict())

    def to_json(self) -> str:
        """The text of ``robustness.json``: :meth:`to_dict` and, for each condition, which images were right."""
        return json.dumps(
            {
                "version": _VERSION,
                **self._plain(lambda condition: {**condition.to_dict(), "right": _packed(condition)}),
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> RobustnessResult:
        """Read :meth:`to_json` back.

        Raises:
            StorageError: The text is not of that form.
        """
        try:
            stored = _Stored.model_validate_json(text)
            n = stored.identity.images
            return cls(
                identity=stored.identity.model_dump(),
                measured_at=stored.measured_at,
                clean=stored.clean.condition(n),
                cells={
                    (name, severity): entry.condition(n)
                    for name, severities in stored.corruptions.items()
                    for severity, entry in severities.items()
                    if name in CORRUPTIONS and severity in SEVERITIES
                },
                branches={
                    BranchKey(entry.pipeline, entry.branch, entry.digest): BranchResult(
                        entry.pipeline_title, entry.branch_title, entry.condition(n)
                    )
                    for entry in stored.pipelines
                },
                versions=stored.versions,
            )
        except ValueError as error:
            raise StorageError(
                f"The robustness figures of this run are damaged ({type(error).__name__}). Measure them again."
            ) from error

    def _plain(self, told: Any) -> dict[str, Any]:
        mce, relative = self.mean_corruption_error, self.relative_mean_corruption_error
        by_corruption: dict[str, dict[str, Any]] = {}
        for name in CORRUPTIONS:
            for severity in SEVERITIES:
                if self._has(name, severity):
                    by_corruption.setdefault(name, {})[str(severity)] = told(self.cells[name, severity])
        return {
            "identity": dict(self.identity),
            "measured_at": self.measured_at,
            "complete": self.complete,
            "cells": len(self.cells),
            "mean_corruption_error": None if mce is None else mce.value,
            "mean_corruption_error_ci95": None if mce is None else list(mce.ci95),
            "relative_mean_corruption_error": None if relative is None else relative.value,
            "relative_mean_corruption_error_ci95": None if relative is None else list(relative.ci95),
            "normalised_by_alexnet": False,
            "clean": told(self.clean),
            "corruptions": by_corruption,
            "pipelines": [
                {
                    "pipeline": key.pipeline,
                    "branch": key.branch,
                    "digest": key.digest,
                    "pipeline_title": entry.pipeline_title,
                    "branch_title": entry.branch_title,
                    **told(entry.condition),
                }
                for key, entry in self.branches.items()
            ],
            "versions": dict(self.versions),
        }

    def _errors(self) -> NDArray[np.float64] | None:
        """Of each image, the share of the measured cells in which it is wrong."""
        if not self.cells:
            return None
        return 1.0 - np.stack([condition.right for condition in self.cells.values()]).mean(axis=0)

    def _has(self, corruption: str, severity: int) -> bool:
        return (corruption, severity) in self.cells


def _mean(values: NDArray[np.float64], *, low: float) -> Mean:
    """The mean over images with its normal interval."""
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.inf
    half = 1.96 * spread / math.sqrt(len(values))
    return Mean(mean, (max(low, mean - half), min(1.0, mean + half)))


def _packed(condition: Condition) -> str:
    """A bit an image, the first image in the highest bit of the first byte, as hexadecimal digits."""
    return np.packbits(condition.right).tobytes().hex()


class _Entry(BaseModel):
    """A condition in ``robustness.json``; its accuracy there is for people."""

    right: str

    def condition(self, n: int) -> Condition:
        packed = np.frombuffer(bytes.fromhex(self.right), np.uint8)
        if len(packed) != -(-n // 8):
            raise ValueError(f"{len(packed)} bytes for {n} images")
        return Condition(np.unpackbits(packed, count=n).astype(bool))


class _Branch(_Entry):
    pipeline: str
    branch: Count
    digest: str
    pipeline_title: str
    branch_title: str


class _Identity(BaseModel):
    model_sha256: str
    dataset_fingerprint: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    images: Annotated[Count, Field(ge=1)]
    test_images: Count


class _Stored(BaseModel):
    version: Literal[1]
    identity: _Identity
    measured_at: Time
    clean: _Entry
    corruptions: dict[str, dict[int, _Entry]]
    pipelines: list[_Branch]
    versions: dict[str, str]
