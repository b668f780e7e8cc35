"""A network's scores on changed images, by condition: a corruption, a pipeline's version, or a parameter's value.

The scores keep the result of each image, since intervals of averages over conditions on the same images need them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, FiniteFloat

from aquadash.errors import StorageError
from aquadash.evaluation import clustered_interval, wilson_interval
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES
from aquadash.store.types import Count, Time

_VERSION = 1

Kind: TypeAlias = Literal["corruption", "pipeline", "strength"]


@dataclass(frozen=True, eq=False)
class Scores:
    """The results of a network on some images under one condition."""

    #: Integers or booleans, shape (n,): the number of copies of each image that were classified correctly.
    right: NDArray[np.int64] | NDArray[np.bool_]
    #: The number of copies of each image.
    copies: int = 1

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self.right)

    @property
    def fractions(self) -> NDArray[np.float64]:
        """The fraction of each image's copies that were right, shape (n,), 0 to 1."""
        return self.right / self.copies

    @property
    def accuracy(self) -> float:
        """The fraction of all copies that were right, 0 to 1."""
        return float(self.fractions.mean())

    @cached_property
    def accuracy_ci95(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, (low, high), over images; of a single image, over its copies."""
        clustered = clustered_interval(self.right, trials=self.copies) if self.copies > 1 else None
        return clustered or wilson_interval(int(self.right.sum()), self.n * self.copies)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: ``accuracy, accuracy_ci95, n``."""
        return {"accuracy": self.accuracy, "accuracy_ci95": list(self.accuracy_ci95), "n": self.n}


@dataclass(frozen=True)
class Condition:
    """A way in which images are changed."""

    kind: Kind
    #: The name of the corruption, pipeline or parameter.
    name: str
    #: The severity, the version's number from 0, or the parameter's value.
    level: float
    #: A digest of the version's steps: an edited version is another condition. Empty for other kinds.
    digest: str = ""
    #: The titles of the pipeline, which may be deleted later, and the version. Empty for other kinds.
    titles: tuple[str, str] = field(default=("", ""), compare=False)

    @property
    def title(self) -> str:
        """The title for people: ``"Fog, severity 3"``, ``"pipeline Flips: Flipped"``, ``"sigma 1.4"``."""
        if self.kind == "corruption":
            return f"{CORRUPTIONS[self.name].title}, severity {self.level:g}"
        return f"pipeline {': '.join(self.titles)}" if self.kind == "pipeline" else f"{self.name} {self.level:.3g}"


@dataclass(frozen=True)
class Mean:
    """An average over conditions with its 95 % interval, both as fractions (1 is 100 %)."""

    value: float
    ci95: tuple[float, float]


@dataclass(frozen=True)
class Measurement:
    """A network's scores on unchanged and changed images."""

    #: The network and images: ``model_sha256``, ``dataset_fingerprint``, ``seed``, and the numbers ``images`` and
    #: ``test_images`` (available). Scores of different identities are never joined.
    identity: Mapping[str, Any]
    #: Unix time at which the network was loaded, in seconds.
    measured_at: float
    #: The scores of the unchanged images.
    clean: Scores
    #: The scores under each measured condition.
    scores: Mapping[Condition, Scores] = field(default_factory=dict)
    #: The versions of the libraries.
    versions: Mapping[str, str] = field(default_factory=dict)
    #: The parameter's value at which its step changes images least; None without a parameter.
    harmless: float | None = None

    def with_scores(self, condition: Condition, scores: Scores) -> Measurement:
        """Return the measurement with the scores of one more condition, in place of those of an older digest."""
        place = (condition.kind, condition.name, condition.level)
        others = {other: kept for other, kept in self.scores.items() if (other.kind, other.name, other.level) != place}
        return replace(self, scores={**others, condition: scores})

    def of_kind(self, kind: Kind) -> dict[Condition, Scores]:
        """Return the scores under the conditions of one kind."""
        return {condition: scores for condition, scores in self.scores.items() if condition.kind == kind}

    @property
    def complete(self) -> bool:
        """True once all fifteen corruptions are measured at all five severities."""
        return len(self.of_kind("corruption")) == len(CORRUPTIONS) * len(SEVERITIES)

    @property
    def mean_corruption_error(self) -> Mean | None:
        """The mean error over the measured corruptions and severities; None before the first.

        Not divided by AlexNet's error as in Hendrycks and Dietterich (2019), which is not known for these images.
        """
        errors = self._errors()
        return None if errors is None else _mean(errors, low=0.0)

    @property
    def relative_mean_corruption_error(self) -> Mean | None:
        """The mean corruption error less the error on clean images, with the interval of a paired difference."""
        errors = self._errors()
        return None if errors is None else _mean(errors - (1 - self.clean.fractions), low=-1.0)

    def curve(self, kind: Kind, name: str) -> dict[float, Scores]:
        """Return the scores by measured level, ascending."""
        levels = {condition.level: scores for condition, scores in self.of_kind(kind).items() if condition.name == name}
        return dict(sorted(levels.items()))

    def mean_curve(self) -> dict[float, Mean]:
        """Return the mean accuracy over the corruptions by severity, for severities that all of them have."""
        curves = [curve for name in CORRUPTIONS if (curve := self.curve("corruption", name))]
        return {
            severity: _mean(np.stack([curve[severity].fractions for curve in curves]).mean(axis=0), low=0.0)
            for severity in SEVERITIES
            if curves and all(severity in curve for curve in curves)
        }

    def loss(self, *scores: Scores) -> Mean | None:
        """Return the clean accuracy less the mean accuracy under some conditions; None for no conditions."""
        if not scores:
            return None
        return _mean(self.clean.fractions - np.stack([each.fractions for each in scores]).mean(axis=0), low=-1.0)

    def corruption_loss(self, name: str) -> Mean | None:
        """Return the loss of accuracy by a corruption over its measured severities; None for none."""
        return self.loss(*self.curve("corruption", name).values())

    def to_json(self) -> str:
        """Return the text of ``robustness.json``: :meth:`to_dict` with the result of each image."""
        return json.dumps({"version": _VERSION, **self.to_dict(packed=True)}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Measurement:
        """Read :meth:`to_json` back, also of version 0.6.0; a damaged text raises a ``StorageError``."""
        try:
            stored = _Stored.model_validate_json(text)
            n = stored.identity.images
            scores = {
                Condition("corruption", name, severity): entry.scores(n)
                for name, severities in stored.corruptions.items()
                for severity, entry in severities.items()
                if name in CORRUPTIONS and severity in SEVERITIES
            }
            scores |= {entry.condition: entry.scores(n) for entry in stored.pipelines}
            scores |= {
                Condition("strength", name, value): entry.scores(n)
                for name, values in stored.strengths.items()
                for value, entry in values.items()
            }
            return cls(
                identity=stored.identity.model_dump(),
                measured_at=stored.measured_at,
                clean=stored.clean.scores(n),
                scores=scores,
                versions=stored.versions,
                harmless=stored.harmless,
            )
        except ValueError as error:
            raise StorageError(
                f"The robustness figures of this run are damaged ({type(error).__name__}). Measure them again."
            ) from error

    def to_dict(self, *, packed: bool = False) -> dict[str, Any]:
        """Plain values for JSON; fractions are 0 to 1. ``packed`` adds the result of each image."""

        def plain(scores: Scores) -> dict[str, Any]:
            return {**scores.to_dict(), **(_packed(scores) if packed else {})}

        def by_level(kind: Kind, names: list[str]) -> dict[str, dict[str, Any]]:
            curves = {name: curve for name in names if (curve := self.curve(kind, name))}
            return {
                name: {str(level): plain(scores) for level, scores in curve.items()} for name, curve in curves.items()
            }

        mce, relative = self.mean_corruption_error, self.relative_mean_corruption_error
        strengths = by_level("strength", [condition.name for condition in self.of_kind("strength")])
        return {
            "identity": dict(self.identity),
            "measured_at": self.measured_at,
            "complete": self.complete,
            "cells": len(self.of_kind("corruption")),
            "mean_corruption_error": None if mce is None else mce.value,
            "mean_corruption_error_ci95": None if mce is None else list(mce.ci95),
            "relative_mean_corruption_error": None if relative is None else relative.value,
            "relative_mean_corruption_error_ci95": None if relative is None else list(relative.ci95),
            "normalised_by_alexnet": False,
            "clean": plain(self.clean),
            "corruptions": by_level("corruption", list(CORRUPTIONS)),
            "pipelines": [
                {
                    "pipeline": condition.name,
                    "branch": int(condition.level),
                    "digest": condition.digest,
                    "pipeline_title": condition.titles[0],
                    "branch_title": condition.titles[1],
                    **plain(scores),
                }
                for condition, scores in self.of_kind("pipeline").items()
            ],
            **({"strengths": strengths, "harmless": self.harmless} if strengths else {}),
            "versions": dict(self.versions),
        }

    def _errors(self) -> NDArray[np.float64] | None:
        """Return the fraction of the measured corruptions and severities in which each image is wrong, (n,)."""
        corrupted = self.of_kind("corruption").values()
        return 1.0 - np.stack([scores.fractions for scores in corrupted]).mean(axis=0) if corrupted else None


def _mean(values: NDArray[np.float64], *, low: float) -> Mean:
    """Return the mean over images with its normal interval, mean +- 1.96 s / sqrt(n), cut to low and 1."""
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if len(values) > 1 else math.inf
    half = 1.96 * spread / math.sqrt(len(values))
    return Mean(mean, (max(low, mean - half), min(1.0, mean + half)))


def _packed(scores: Scores) -> dict[str, Any]:
    """Pack the results of the images: a bit each in hexadecimal digits, or the numbers of right copies."""
    if scores.copies == 1:
        return {"right": np.packbits(scores.right.astype(bool)).tobytes().hex()}
    return {"right": scores.right.tolist(), "copies": scores.copies}


class _Entry(BaseModel):
    """Packed scores in ``robustness.json``."""

    right: str | list[Count]
    copies: Annotated[Count, Field(ge=1)] = 1

    def scores(self, n: int) -> Scores:
        if isinstance(self.right, list):
            if len(self.right) != n or max(self.right) > self.copies:
                raise ValueError(f"{len(self.right)} images of {self.copies} copies, not {n}")
            return Scores(np.array(self.right, np.int64), self.copies)
        packed = np.frombuffer(bytes.fromhex(self.right), np.uint8)
        if len(packed) != -(-n // 8):
            raise ValueError(f"{len(packed)} bytes for {n} images")
        return Scores(np.unpackbits(packed, count=n).astype(np.int64))


class _Branch(_Entry):
    pipeline: str
    branch: Count
    digest: str
    pipeline_title: str
    branch_title: str

    @property
    def condition(self) -> Condition:
        return Condition("pipeline", self.pipeline, self.branch, self.digest, (self.pipeline_title, self.branch_title))


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
    strengths: dict[str, dict[FiniteFloat, _Entry]] = {}
    harmless: FiniteFloat | None = None
    versions: dict[str, str]
