"""The steps of a branch by their place in its tree, and the same branch with one of them changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from aquadash.augment import Branch, Operator, Parameter, PipelineSpec, Range, editing, operator_info
from aquadash.augment.catalogue import settings_of
from aquadash.augment.spec import Value, as_pipeline
from aquadash.errors import ConfigError, UnknownNameError, look_up

#: Where a step is: its position among the branch's operators from 0, then, for one inside another, the slot's name and
#: the position there, and so on: ``(1, "then_list", 0)``.
StepPath: TypeAlias = tuple[int | str, ...]

#: The share of the images that a step is applied to, which every step has.
PROBABILITY = Parameter(
    "probability",
    "probability",
    "Share of the images that this step is applied to.",
    1.0,
    kind="probability",
    low=0.0,
    high=1.0,
    drawn=False,
    percent=True,
)


@dataclass(frozen=True)
class SwitchedStep:
    """A step that is switched on.

    Attributes:
        path: Its place.
        operator: It itself.
        title: A name for people, those of the steps around it in front: ``"2. Sometimes › Blur"``.
    """

    path: StepPath
    operator: Operator
    title: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its numeric parameters, its probability last."""
        own = operator_info(self.operator.name).parameters
        return (*(parameter for parameter in own if parameter.kind != "word"), PROBABILITY)

    def parameter(self, name: str) -> Parameter:
        """The numeric parameter of that name.

        Raises:
            UnknownNameError: There is none.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        return look_up(f"numeric parameter of {self.operator.name}", name, known)

    def value(self, name: str) -> Value:
        """What a parameter is set to, be it by the catalogue."""
        return self.operator.probability if name == PROBABILITY.name else settings_of(self.operator)[name]


def steps(branch: Branch, *, nested: bool = True) -> tuple[SwitchedStep, ...]:
    """The steps of a branch that are switched on, each before those inside it.

    Args:
        branch: The branch.
        nested: Those inside others, too.
    """
    return tuple(_walk(branch.operators, (), "", nested))


def find_step(branch: Branch, path: StepPath) -> SwitchedStep:
    """The step at a place.

    Raises:
        UnknownNameError: There is none, or it is switched off.
    """
    known = {step.path: step for step in steps(branch)}
    if path not in known:
        raise UnknownNameError(
            f"The branch {branch.title!r} has no step {path_text(path)!r} that is switched on. It has: "
            + (", ".join(f"{path_text(step.path)} ({step.operator.name})" for step in known.values()) or "none")
            + "."
        )
    return known[path]


def path_text(path: StepPath) -> str:
    """A path as people write it, counted from 1: ``"2.then_list.1"``."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def read_path(text: str) -> StepPath:
    """Back from :func:`path_text`.

    Raises:
        ConfigError: The text is not of that form.
    """
    parts = text.strip().split(".")
    path: list[int | str] = []
    for number, part in enumerate(parts):
        if number % 2 and part.isidentifier():
            path.append(part)
        elif not number % 2 and part.isascii() and part.isdigit() and 0 < int(part[:9]):
            path.append(int(part[:9]) - 1)
        else:
            path.clear()
            break
    if len(path) % 2 == 0:
        raise ConfigError(
            f"{text[:60]!r} is no place of a step. Write its number from 1, such as 2, or 2.then_list.1 for the first "
            "step in the slot then_list of the second."
        )
    return tuple(path)


def first_steps(branch: Branch, path: StepPath) -> Branch:
    """The branch cut after a step that is inside no other. What is left draws the same random numbers as before."""
    return replace(branch, operators=branch.operators[: int(path[0]) + 1])


def without(branch: Branch, path: StepPath) -> Branch:
    """The branch with one step switched off; the others draw the same random numbers as before."""
    return _edited(branch, path, editing.set_enabled, False)


def with_parameter(branch: Branch, path: StepPath, name: str, value: float) -> Branch:
    """The branch with one parameter of a step fixed; all else stays, random numbers included."""
    if name == PROBABILITY.name:
        return _edited(branch, path, editing.set_probability, float(value))
    whole = find_step(branch, path).parameter(name).kind == "integer"
    return _edited(branch, path, editing.set_setting, name, round(value) if whole else float(value))


def only(branch: Branch, path: StepPath) -> Branch:
    """The branch with every step switched off but one, those around it and those inside it; it draws the same random
    numbers as before."""

    find_step(branch, path)
    spec, kept = as_pipeline(branch), (0, *path)
    for other, step in editing.paths(spec):
        if step.enabled and kept[: len(other)] != other and other[: len(kept)] != kept:
            spec = editing.set_enabled(spec, other, False)
    return spec.branches[0]


def grid(parameter: Parameter, *, low: float, high: float, count: int) -> tuple[float, ...]:
    """Values to try, from low to high with even steps; whole numbers, of those that the parameter takes, once each.

    Raises:
        ConfigError: The ends are not within the parameter's, or the wrong way round.
    """
    if not parameter.low <= low < high <= parameter.high:
        raise ConfigError(
            f"{parameter.name} is to go from {low:g} to {high:g}; expected two numbers from {parameter.low:g} to "
            f"{parameter.high:g}, the lower one first. {parameter.help}"
        )
    values = np.linspace(low, high, count)
    if parameter.kind == "integer":
        return tuple(float(value) for value in np.unique([editing.nearest(parameter, value) for value in values]))
    return tuple(float(value) for value in values)


def text_of(parameter: Parameter, value: float) -> str:
    """A parameter's value for people, three digits at most: ``"1.4"``, ``"35 %"``."""
    return f"{100 * value:.3g} %" if parameter.percent or parameter.kind == "probability" else f"{value:.3g}"


def setting_text(step: SwitchedStep, name: str) -> str:
    """What a parameter is set to now, for people: ``"0 to 1"``."""
    value, parameter = step.value(name), step.parameter(name)
    if isinstance(value, Range):
        return f"{text_of(parameter, value.low)} to {text_of(parameter, value.high)}"
    return value if isinstance(value, str) else text_of(parameter, float(value))


def _walk(operators: tuple[Operator, ...], before: StepPath, above: str, nested: bool) -> Iterator[SwitchedStep]:
    for position, operator in enumerate(operators):
        if not operator.enabled:
            continue
        info = operator_info(operator.name)
        number = f"{position + 1}. " if not before or len(operators) > 1 else ""
        title = f"{above}{number}{info.title}"
        path = (*before, position)
        yield SwitchedStep(path, operator, title)
        if nested:
            for slot, _ in info.slots:
                yield from _walk(operator.slot(slot), (*path, slot), f"{title} › ", nested)


def _edited(branch: Branch, path: StepPath, edit: Callable[..., PipelineSpec], *arguments: object) -> Branch:
    find_step(branch, path)
    return edit(as_pipeline(branch), (0, *path), *arguments).branches[0]
