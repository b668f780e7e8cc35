"""The steps of a branch by their place in its tree, and the same branch with one of them changed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aquadash.augment import Branch, Operator, Parameter, editing, operator_info
from aquadash.augment.catalogue import settings_of
from aquadash.augment.spec import Value, as_pipeline
from aquadash.errors import ConfigError, UnknownNameError, look_up

#: The parameter that every step has: its share of the images.
PROBABILITY = Parameter(
    "probability",
    "probability",
    "Share of the images that this step is applied to.",
    default=1.0,
    high=1.0,
    kind="probability",
    drawn=False,
    percent=True,
)


@dataclass(frozen=True)
class SwitchedStep:
    """A step that is switched on."""

    #: Its number from 1; inside another step, that step's place, the slot and the number there: ``"2.then_list.1"``.
    place: str
    operator: Operator
    #: Its title after those of the steps around it: ``"2. Sometimes › Blur"``.
    title: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its numeric parameters, its probability last."""
        own = operator_info(self.operator.name).parameters
        return (*(parameter for parameter in own if parameter.kind != "word"), PROBABILITY)

    def parameter(self, name: str) -> Parameter:
        """Return the numeric parameter of that name; an unknown one raises an ``UnknownNameError``."""
        numeric = {parameter.name: parameter for parameter in self.parameters}
        return look_up(f"numeric parameter of {self.operator.name}", name, numeric)

    def value(self, name: str) -> Value:
        """Return a parameter's value, or the catalogue's default."""
        return self.operator.probability if name == PROBABILITY.name else settings_of(self.operator)[name]


def steps(branch: Branch) -> tuple[SwitchedStep, ...]:
    """Return the steps of a branch that are switched on, each before those inside it."""
    return tuple(_walk(branch.operators, "", ""))


def first_strength(branch: Branch) -> SwitchedStep:
    """Return the first step whose first parameter is a strength, not a probability or channel, else the first step."""
    switched_on = steps(branch)
    if not switched_on:
        raise ConfigError(f"The version {branch.title!r} changes nothing, so there is nothing to measure.")
    firsts = {step: step.parameters[0] for step in switched_on}
    graded = (
        step for step, first in firsts.items() if first.kind in ("number", "integer") and first.name != "channels"
    )
    return next(graded, switched_on[0])


def find_step(branch: Branch, place: str) -> SwitchedStep:
    """Return the step at a place, as :attr:`SwitchedStep.place` writes it."""
    by_place = {step.place: step for step in steps(branch)}
    if place not in by_place:
        raise UnknownNameError(
            f"The branch {branch.title!r} has no step {place[:60]!r} that is switched on. It has: "
            + (", ".join(f"{step.place} ({step.operator.name})" for step in by_place.values()) or "none")
            + ". A step's place is its number from 1; 2.then_list.1 is the first in the slot then_list of the second."
        )
    return by_place[place]


def with_parameter(branch: Branch, place: str, name: str, value: float) -> Branch:
    """Return the branch with one parameter of a step fixed; all other values and random numbers stay."""
    spec, _ = editing.with_ids(as_pipeline(branch))
    step = find_step(spec.branches[0], place)
    if name == PROBABILITY.name:
        return editing.set_probability(spec, step.operator.id, float(value)).branches[0]
    whole = step.parameter(name).kind == "integer"
    return editing.set_setting(spec, step.operator.id, name, round(value) if whole else float(value)).branches[0]


def grid(parameter: Parameter, *, low: float, high: float, count: int) -> tuple[float, ...]:
    """Return values from low to high with even steps, for whole numbers the nearest valid ones, each once."""
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
    """Format a parameter's value with three digits at most: ``"1.4"``, ``"35 %"``."""
    return f"{100 * value:.3g} %" if parameter.percent else f"{value:.3g}"


def _walk(operators: tuple[Operator, ...], before: str, above: str) -> Iterator[SwitchedStep]:
    for number, operator in enumerate(operators, start=1):
        if not operator.enabled:
            continue
        info = operator_info(operator.name)
        place = f"{before}{number}"
        title = f"{above}{f'{number}. ' if not before or len(operators) > 1 else ''}{info.title}"
        yield SwitchedStep(place, operator, title)
        for slot, _ in info.slots:
            yield from _walk(operator.slot(slot), f"{place}.{slot}.", f"{title} › ")
