"""Requests to measure: corruptions and pipelines on test images, or a sweep of one parameter on validation images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from aquadash import augment
from aquadash.augment import Branch, Parameter
from aquadash.augment.reading import from_json
from aquadash.augment.spec import as_pipeline
from aquadash.errors import AquaDashError, ConfigError, look_up
from aquadash.robustness.corruptions import CORRUPTIONS, SEVERITIES, Subjects, check_corruption
from aquadash.robustness.measurement import Condition
from aquadash.robustness.steps import SwitchedStep, find_step, grid, with_parameter

if TYPE_CHECKING:
    from aquadash.data import Dataset
    from aquadash.store.types import Predictions, Run

MAX_IMAGES = 200
MAX_COPIES = 500
MAX_VALUES = 51

_JsonBranch = Annotated[
    Branch,
    PlainValidator(lambda text: text if isinstance(text, Branch) else from_json(text).branches[0]),
    PlainSerializer(lambda branch: as_pipeline(branch).to_json()),
]


@dataclass(frozen=True)
class RobustnessRequest:
    """A measurement under corruptions and the versions of augmentation pipelines, on test images."""

    #: Names in :data:`~aquadash.robustness.corruptions.CORRUPTIONS`.
    corruptions: tuple[str, ...] = tuple(CORRUPTIONS)
    #: Severities from 1 (mild) to 5 (strong).
    severities: tuple[int, ...] = SEVERITIES
    #: Names of augmentation pipelines; None for all that exist when it is measured.
    pipelines: tuple[str, ...] | None = None
    #: The seed of all random choices, 0 or greater.
    seed: int = 0
    #: The most test images, taken from all classes alike; None for all.
    limit: int | None = None

    #: Changed copies of each image.
    copies: ClassVar[int] = 1

    def checked(self) -> RobustnessRequest:
        """Return the request in the usual order and without duplicates; refuse one that cannot be measured."""
        for name in self.corruptions:
            for severity in self.severities or SEVERITIES:
                check_corruption(name, severity)
        pipelines = augment.library().pipelines if self.pipelines else {}
        for name in self.pipelines or ():
            look_up("pipeline", name, pipelines)
        check_seed(self.seed)
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"The limit is {self.limit} images; expected at least 1, or none for all test images.")
        if self.pipelines == () and not (self.corruptions and self.severities):
            raise ConfigError("The request is empty: name a corruption and a severity, or a pipeline.")
        return replace(
            self,
            corruptions=tuple(name for name in CORRUPTIONS if name in self.corruptions),
            severities=tuple(severity for severity in SEVERITIES if severity in self.severities),
            pipelines=None if self.pipelines is None else tuple(dict.fromkeys(self.pipelines)),
        )

    def conditions(self) -> dict[Condition, Branch | None]:
        """Return corruptions by severity, mild ones first, then the versions of the pipelines that change images."""
        conditions: dict[Condition, Branch | None] = {
            Condition("corruption", name, severity): None for severity in self.severities for name in self.corruptions
        }
        specs = augment.library().pipelines
        for name in specs if self.pipelines is None else self.pipelines:
            # Another session may have deleted the pipeline since the request was checked.
            spec = specs.get(name)
            for number, branch in enumerate(spec.branches if spec else ()):
                if spec and not branch.is_original:
                    # The digest depends on the steps only, not on the title.
                    steps = as_pipeline(Branch("branch", branch.operators)).to_json()
                    digest = hashlib.sha256(steps.encode()).hexdigest()[:16]
                    conditions[Condition("pipeline", name, number, digest, (spec.title, branch.title))] = branch
        return conditions


@dataclass(frozen=True)
class SweepRequest:
    """A measurement of copies of validation images by the value of one parameter."""

    #: The version of a pipeline that changes the images.
    branch: _JsonBranch
    #: The place of the step with the parameter, such as ``"2"``.
    place: str
    #: The parameter's name, or ``"probability"``.
    parameter: str
    low: float
    high: float
    #: The number of values; fewer for whole numbers.
    values: int = 11
    #: The most images, taken from all classes alike.
    limit: int = 20
    #: Changed copies of each image.
    copies: int = 50
    #: The seed of all random choices, 0 or greater.
    seed: int = 0

    @property
    def step(self) -> SwitchedStep:
        """The step with the parameter; an unknown one raises an ``UnknownNameError``."""
        return find_step(self.branch, self.place)

    @property
    def tried(self) -> Parameter:
        """The parameter; an unknown one raises an ``UnknownNameError``."""
        return self.step.parameter(self.parameter)

    def checked(self) -> SweepRequest:
        """Return the request; refuse one that cannot be measured."""
        if not 1 <= self.copies <= MAX_COPIES:
            raise ConfigError(f"There are {self.copies} copies of each image; expected 1 to {MAX_COPIES}.")
        check_seed(self.seed)
        if not 1 <= self.limit <= MAX_IMAGES:
            raise ConfigError(f"The limit is {self.limit} images; expected 1 to {MAX_IMAGES}.")
        if not 2 <= self.values <= MAX_VALUES:
            raise ConfigError(f"There are {self.values} values; expected 2 to {MAX_VALUES}.")
        self.conditions()
        return self

    def conditions(self) -> dict[Condition, Branch | None]:
        """Return the values, ascending, each with the version in which the parameter has this value."""
        return {
            Condition("strength", self.parameter, value): with_parameter(self.branch, self.place, self.parameter, value)
            for value in grid(self.tried, low=self.low, high=self.high, count=self.values)
        }


Request: TypeAlias = RobustnessRequest | SweepRequest
_ROBUSTNESS, _SWEEP = TypeAdapter(RobustnessRequest), TypeAdapter(SweepRequest)


def request_values(request: Request) -> dict[str, Any]:
    """Return a request as plain values for JSON."""
    form: TypeAdapter[Any] = _SWEEP if isinstance(request, SweepRequest) else _ROBUSTNESS
    values: dict[str, Any] = form.dump_python(request, mode="json")
    return values


def read_request(values: Mapping[str, Any]) -> Request:
    """Read :func:`request_values` back, also after JSON; other keys are ignored."""
    try:
        return (_SWEEP if "branch" in values else _ROBUSTNESS).validate_python(values)
    except ValidationError:
        raise ConfigError("The request of this measurement cannot be read. Start the measurement again.") from None


def check_seed(seed: int) -> None:
    """Refuse a number that NumPy does not take as a seed."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"The seed is {seed}; expected a whole number from 0 to {2**32 - 1}.")


def choose_subjects(request: Request, run: Run, dataset: Dataset, validation: Predictions | None) -> Subjects:
    """Choose a request's images: test images, or for a sweep, which guides choices, the run's validation images."""
    split = dataset.test
    candidates: NDArray[np.int64] = np.arange(len(split), dtype=np.int64)
    if isinstance(request, SweepRequest):
        # The report takes its validation images from the test split.
        split = dataset.test if run.config.training.validation == "test" else dataset.train
        candidates = candidates[:0] if validation is None else validation.indices.astype(np.int64)
        if not len(candidates) or candidates.max() >= len(split):
            raise AquaDashError(
                f"{run.name} kept no validation images, as runs of older versions did not. Choose another run."
            )
    chosen = candidates[chosen_positions(split.labels[candidates], request.limit)]
    return Subjects(
        split.images[chosen], split.labels[chosen], chosen, len(candidates), dataset.fingerprint, request.seed
    )


def chosen_positions(labels: NDArray[np.int64], limit: int | None) -> NDArray[np.int64]:
    """Return the positions of the images to measure with: all, or the first of each class in turn."""
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        rank[mine] = np.arange(len(mine))
    return np.sort(np.lexsort((labels, rank))[:limit]).astype(np.int64)
