"""What is to be measured of a model's robustness, and what of it is still to be done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from aquadash import augment
from aquadash.errors import ConfigError, UnknownNameError
from aquadash.robustness.corrupted_sets import Cell
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, check_corruption
from aquadash.robustness.result import BranchKey, RobustnessResult


@dataclass(frozen=True)
class RobustnessRequest:
    """What is to be measured.

    Attributes:
        corruptions: Names in :data:`~aquadash.robustness.corruptions.CORRUPTIONS`.
        severities: Some of 1 (mild) to 5 (strong).
        pipelines: Names of augmentation pipelines; None for all that there are when it is measured.
        seed: 0 or greater; the random choices of corruptions and pipelines follow from it.
        limit: At most so many test images, taken from all classes alike; None for all.
    """

    corruptions: tuple[str, ...] = tuple(CORRUPTIONS)
    severities: tuple[int, ...] = SEVERITIES
    pipelines: tuple[str, ...] | None = None
    seed: int = 0
    limit: int | None = None

    def checked(self) -> RobustnessRequest:
        """The request itself, in the usual order and without doubles.

        Raises:
            UnknownNameError: A corruption or pipeline is not there.
            ConfigError: A number is out of range or nothing is asked for.
        """
        for name in self.corruptions:
            for severity in self.severities or SEVERITIES:
                check_corruption(name, severity)
        known = known_pipelines() if self.pipelines else {}
        for name in self.pipelines or ():
            if name not in known:
                raise UnknownNameError.of("pipeline", name, known)
        check_seed(self.seed)
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"The limit is {self.limit} images; expected at least 1, or none for all test images.")
        if self.pipelines == () and not (self.corruptions and self.severities):
            raise ConfigError("Nothing is asked for: name a corruption and a severity, or a pipeline.")
        return replace(
            self,
            corruptions=tuple(name for name in CORRUPTIONS if name in self.corruptions),
            severities=tuple(severity for severity in SEVERITIES if severity in self.severities),
            pipelines=None if self.pipelines is None else tuple(dict.fromkeys(self.pipelines)),
        )

    def cells(self) -> list[Cell]:
        """The corruptions and severities in the order in which they are measured.

        All mild ones first: so what is there after a stop is fair to every corruption, and so is the estimate of the
        time left.
        """
        return [(name, severity) for severity in self.severities for name in self.corruptions]

    def branches(self, known: Mapping[str, augment.PipelineSpec] | None = None) -> list[BranchKey]:
        """The branches of the pipelines that change images; an original is the clean image again.

        Args:
            known: The pipelines that there are, by name; those of this moment when None.
        """
        specs = known_pipelines() if known is None else known
        names = list(specs) if self.pipelines is None else self.pipelines
        return [
            BranchKey(name, number, _digest(branch))
            for name in names
            if name in specs
            for number, branch in enumerate(specs[name].branches)
            if not branch.is_original
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RobustnessRequest:
        """Read :meth:`to_dict` back, after JSON, too.

        Raises:
            ConfigError: The values are not of that form.
        """
        try:
            return _REQUEST.validate_python(values)
        except ValidationError:
            raise ConfigError("What is to be measured cannot be read. Start the measurement again.") from None


_REQUEST = TypeAdapter(RobustnessRequest)


def check_seed(seed: int) -> None:
    """Refuse a number that is no seed.

    Raises:
        ConfigError: It is negative or takes more than 32 bits.
    """
    if not 0 <= seed < 2**32:
        raise ConfigError(f"The seed is {seed}; expected a whole number from 0 to {2**32 - 1}.")


def known_pipelines() -> Mapping[str, augment.PipelineSpec]:
    """The augmentation pipelines to measure with, by name."""
    return augment.library().pipelines


def missing(
    result: RobustnessResult | None,
    request: RobustnessRequest,
    known: Mapping[str, augment.PipelineSpec] | None = None,
) -> tuple[list[Cell], list[BranchKey]]:
    """What a request asks for that a result does not have. The result must be of the request's identity.

    Args:
        result: What there is.
        request: What is asked for.
        known: The pipelines that there are, by name; those of this moment when None.
    """
    cells, branches = request.cells(), request.branches(known)
    if result is None:
        return cells, branches
    return [cell for cell in cells if cell not in result.cells], [key for key in branches if key not in result.branches]


def chosen_positions(labels: NDArray[np.int64], limit: int | None) -> NDArray[np.int64]:
    """The positions of the images to measure with: all, or the first of each class in turn.

    Args:
        labels: int64, shape (n,).
        limit: At most so many; None for all.

    Returns:
        int64, ascending.
    """
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        rank[mine] = np.arange(len(mine))
    return np.sort(np.lexsort((labels, rank))[:limit]).astype(np.int64)


def _digest(branch: augment.Branch) -> str:
    """What the branch does, whatever it is called and whichever pipeline it belongs to."""
    spec = augment.PipelineSpec("branch", "branch", "", (augment.Branch("branch", branch.operators),))
    return hashlib.sha256(spec.to_json().encode()).hexdigest()[:16]
