"""The records of a pipeline (operators, branches) and their JSON; :mod:`aquadash.augment.reading` checks them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema
from pydantic_core import core_schema

from aquadash.errors import ConfigError

#: Format and version in the JSON of a pipeline.
FORMAT: Literal["aquadash-pipeline"] = "aquadash-pipeline"
VERSION: Literal[1] = 1

#: JSON allows numbers of any size.
_MAX_NUMBER = 1e9
_Number: TypeAlias = (
    Annotated[int, Field(ge=-_MAX_NUMBER, le=_MAX_NUMBER)] | Annotated[float, Field(ge=-_MAX_NUMBER, le=_MAX_NUMBER)]
)
_Text: TypeAlias = Annotated[str, Field(max_length=500)]

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


#: A field that files never have.
_NOT_IN_FILES = GetPydanticSchema(lambda *_: core_schema.none_schema())


def _as_object(kind: Any) -> GetPydanticSchema:
    """Read and write pairs as a JSON object of that type."""

    def schema(_: Any, handler: Any) -> core_schema.CoreSchema:
        by_name = handler.generate_schema(kind)
        writing = core_schema.wrap_serializer_function_ser_schema(
            lambda pairs, write: write(dict(pairs)), schema=by_name
        )
        return core_schema.no_info_after_validator_function(
            lambda values: (*values.items(),), by_name, serialization=writing
        )

    return GetPydanticSchema(schema)


@dataclass(frozen=True)
class Range:
    """A value drawn anew for each image, anywhere from ``low`` to ``high``."""

    __pydantic_config__: ClassVar = _STRICT

    low: _Number
    high: _Number

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ConfigError(f"A range from {self.low!r} to {self.high!r} is reversed; put the lower number first.")


#: A setting of an operator: fixed (number, yes or no, text) or drawn anew for each image.
Value: TypeAlias = bool | _Number | _Text | Range


@dataclass(frozen=True)
class Operator:
    """One step of a pipeline. Build it with :func:`op`."""

    __pydantic_config__: ClassVar = _STRICT

    #: Its name in the catalogue, which is imgaug's name.
    name: _Text
    #: Pairs of setting and value; settings that are left out take the catalogue's default.
    settings: Annotated[tuple[tuple[str, Value], ...], _as_object(dict[str, Value])] = ()
    #: Pairs of a slot and the operators in it, for operators that steer others.
    children: Annotated[tuple[tuple[str, tuple[Operator, ...]], ...], _as_object(dict[str, tuple[Operator, ...]])] = ()
    #: Share of the images that it is applied to, 0 to 1.
    probability: _Number = 1.0
    #: False for a step that is skipped. The random numbers of the other steps do not depend on it.
    enabled: bool = True
    #: Identifies the step while a pipeline is edited; None elsewhere, and in files.
    id: Annotated[int | None, Field(exclude=True), _NOT_IN_FILES] = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ConfigError(f"{self.name}: the probability is {self.probability!r}; expected 0 to 1.")

    def setting(self, name: str, default: Value) -> Value:
        """Return the value of a setting, or ``default`` where it is left out."""
        return dict(self.settings).get(name, default)

    def slot(self, name: str) -> tuple[Operator, ...]:
        """Return the operators in a slot, in order."""
        return dict(self.children).get(name, ())


def op(
    name: str,
    /,
    *,
    probability: float = 1.0,
    enabled: bool = True,
    **arguments: Value | Operator | tuple[Operator, ...],
) -> Operator:
    """Build an operator: ``op("Sometimes", p=0.5, then_list=op("ChannelShuffle", p=0.5))``."""
    settings = tuple((key, value) for key, value in arguments.items() if not isinstance(value, Operator | tuple))
    children = tuple(
        (key, value if isinstance(value, tuple) else (value,))
        for key, value in arguments.items()
        if isinstance(value, Operator | tuple)
    )
    return Operator(name, settings, children, probability, enabled)


def walk(operators: Iterable[Operator]) -> Iterator[Operator]:
    """Yield the operators and all those inside them, each before its children."""
    for operator in operators:
        yield operator
        for _, inner in operator.children:
            yield from walk(inner)


@dataclass(frozen=True)
class Branch:
    """A way to make one image out of each image: the operators in the order in which they are applied."""

    __pydantic_config__: ClassVar = _STRICT

    #: A short name for people.
    title: _Text
    #: Empty for the branch that hands the images on as they are.
    operators: tuple[Operator, ...]

    @property
    def is_original(self) -> bool:
        """True if the images pass unchanged."""
        return not any(operator.enabled for operator in self.operators)


@dataclass(frozen=True)
class PipelineSpec:
    """The changes of a set of training images: each branch makes one image out of every image."""

    #: Its name in configurations and on the command line.
    name: str
    #: A short name for a menu.
    title: str
    #: Its effect and the number of images that it yields, in a sentence or two.
    summary: str
    #: At least one; the images of the first come first in the training set.
    branches: tuple[Branch, ...]

    def __post_init__(self) -> None:
        if not self.branches:
            raise ConfigError(f"The pipeline {self.name!r} has no branch, so there would be no training images.")

    @property
    def factor(self) -> int:
        """The number of images made of each original."""
        return len(self.branches)

    def branch(self, number: int) -> Branch:
        """Return a branch by its number, from 0."""
        if not 0 <= number < self.factor:
            raise ConfigError(f"The pipeline {self.name!r} has no branch {number}; expected 0 to {self.factor - 1}.")
        return self.branches[number]

    def to_json(self) -> str:
        """Return the pipeline as indented JSON, which :func:`aquadash.augment.reading.from_json` reads and checks."""
        form = PipelineForm.model_construct(format=FORMAT, version=VERSION, **vars(self))
        values = form.model_dump(mode="json", exclude_defaults=True, warnings=False)
        return json.dumps(values, indent=2, ensure_ascii=False)


def as_pipeline(spec: PipelineSpec | Branch) -> PipelineSpec:
    """Return a pipeline, or a branch as a pipeline of nothing else."""
    return PipelineSpec("branch", spec.title, "", (spec,)) if isinstance(spec, Branch) else spec


class PipelineForm(BaseModel):
    """The file of a :class:`PipelineSpec`; steps and branches are read and written as they are."""

    model_config = _STRICT

    format: Literal["aquadash-pipeline"]
    version: Literal[1]
    name: _Text
    title: _Text
    summary: _Text
    branches: tuple[Branch, ...]

    def spec(self) -> PipelineSpec:
        """Return the pipeline."""
        return PipelineSpec(self.name, self.title, self.summary, self.branches)
