"""Changes of a pipeline. Each gives a new pipeline that passes the check and a pipeline file's limits, or raises.

Every step has an id, see :func:`with_ids`. A *place* is a list of steps: the number of a branch, from 0, for its own,
or a step's id and one of its slots for those inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from aquadash.augment.catalogue import operator_info
from aquadash.augment.catalogue.parts import Parameter
from aquadash.augment.pipelines import ORIGINAL
from aquadash.augment.reading import MAX_DEPTH, check, check_size, height
from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, Value, walk
from aquadash.errors import AquaDashError, ConfigError

StepId: TypeAlias = int | None
Place: TypeAlias = int | tuple[StepId, str]
Steps: TypeAlias = tuple[Operator, ...]

#: The greatest number of characters in the title of a branch.
MAX_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class Group:
    """A list of steps: a branch's own, or those in a slot of one of its steps, be it empty."""

    #: Its place.
    place: Place
    #: The number of its branch, from 0.
    branch: int
    #: The steps, in order.
    steps: Steps
    #: The steps around it, the outermost first.
    around: Steps = ()
    #: The number of the step around it within its branch, such as ``"2.1"``; empty for a branch's own steps.
    number: str = ""

    @property
    def slot_title(self) -> str:
        """The title of the list among those of the step; empty if there is only one."""
        slots = dict(operator_info(self.around[-1].name).slots) if self.around else {}
        return slots[self.place[1]] if isinstance(self.place, tuple) and len(slots) > 1 else ""

    def number_of(self, index: int) -> str:
        """Return the number of the step of an index: ``"2"``, or ``"2.1 (where the mask is high)"`` inside that."""
        number = f"{self.number}.{index + 1}" if self.around else str(index + 1)
        return f"{number} ({self.slot_title})" if self.slot_title else number

    def has_room_for(self, step: Operator) -> bool:
        """Whether a step, with those inside it, can stand here without being nested too deep."""
        return len(self.around) + height((step,)) <= MAX_DEPTH


def groups(spec: PipelineSpec) -> Iterator[Group]:
    """Every list of steps, each before those inside its steps."""
    for number, branch in enumerate(spec.branches):
        yield from _groups_in(Group(number, number, branch.operators))


def _groups_in(group: Group) -> Iterator[Group]:
    yield group
    for index, step in enumerate(group.steps):
        for slot, _ in operator_info(step.name).slots:
            around, number = (*group.around, step), group.number_of(index)
            yield from _groups_in(Group((step.id, slot), group.branch, step.slot(slot), around, number))


def group_at(spec: PipelineSpec, place: Place) -> Group:
    """Return the list of steps at a place."""
    for group in groups(spec):
        if group.place == place:
            return group
    raise ConfigError("This place is no longer in the pipeline.")


def with_ids(spec: PipelineSpec, unused: int = 0) -> tuple[PipelineSpec, int]:
    """Give an id to every step that has none, or that of a step before it, as a copy has."""
    given: set[int] = set()
    every = (step.id for branch in spec.branches for step in walk(branch.operators))
    unused = max((unused, *(1 + number for number in every if number is not None)))

    def identified(step: Operator) -> Operator:
        nonlocal unused
        number = step.id
        if number is None or number in given:
            number, unused = unused, unused + 1
        given.add(number)
        children = tuple((slot, tuple(map(identified, inner))) for slot, inner in step.children)
        return replace(step, id=number, children=children)

    branches = tuple(replace(branch, operators=tuple(map(identified, branch.operators))) for branch in spec.branches)
    return replace(spec, branches=branches), unused


def insert(spec: PipelineSpec, place: Place, index: int, step: Operator) -> PipelineSpec:
    """Put a step before the one of that index, or at the end."""
    return _changed(spec, place, lambda steps: (*steps[:index], step, *steps[index:]))


def remove(spec: PipelineSpec, step_id: StepId) -> PipelineSpec:
    """Take a step out, with what is inside it."""
    return _replaced(spec, step_id, lambda step: ())


def duplicate(spec: PipelineSpec, step_id: StepId) -> PipelineSpec:
    """Put a copy of a step after it."""
    return _replaced(spec, step_id, lambda step: (step, step))


def move(spec: PipelineSpec, step_id: StepId, index: int) -> PipelineSpec:
    """Bring a step to another index among its neighbours; one beyond the ends is the end."""
    group, before = _found(spec, step_id)
    steps = list(group.steps)
    steps.insert(max(index, 0), steps.pop(before))
    return _changed(spec, group.place, lambda _: tuple(steps))


def shift(spec: PipelineSpec, step_id: StepId, by: int) -> PipelineSpec:
    """:func:`move` a step by some places."""
    return move(spec, step_id, _found(spec, step_id)[1] + by)


def relocate(spec: PipelineSpec, step_id: StepId, place: Place) -> PipelineSpec:
    """Take a step out and put it at the end of another place, of another branch, too."""
    group, index = _found(spec, step_id)
    step = group.steps[index]
    if isinstance(place, tuple) and any(inner.id == place[0] for inner in walk((step,))):
        raise ConfigError("A step cannot be moved into itself. Choose another place.")
    taken_out = _replaced(spec, step_id, lambda step: ())
    return _changed(taken_out, place, lambda steps: (*steps, step))


def wrap(spec: PipelineSpec, step_id: StepId, name: str) -> PipelineSpec:
    """Put a new step that steers others in the place of a step, and the step into it."""
    slots = operator_info(name).slots
    if not slots:
        raise ConfigError(f"{name} applies no other steps, so no step can be put into it.")
    outer = new_step(name)
    return _replaced(spec, step_id, lambda step: (replace(outer, children=((slots[0][0], (step,)),)),))


def dissolve(spec: PipelineSpec, step_id: StepId) -> PipelineSpec:
    """Put what is inside a step in its place."""
    return _replaced(spec, step_id, lambda step: tuple(child for _, inner in step.children for child in inner))


def set_setting(spec: PipelineSpec, step_id: StepId, name: str, value: Value) -> PipelineSpec:
    """Give a setting of a step a value; the settings stay in the catalogue's order."""

    def change(step: Operator) -> Steps:
        info = operator_info(step.name)
        info.parameter(name)
        given = {**dict(step.settings), name: value}
        ordered = tuple((each.name, given[each.name]) for each in info.parameters if each.name in given)
        return (replace(step, settings=ordered),)

    return _replaced(spec, step_id, change)


def set_probability(spec: PipelineSpec, step_id: StepId, probability: float) -> PipelineSpec:
    """Set the share of the images that a step is applied to, 0 to 1."""
    return _replaced(spec, step_id, lambda step: (replace(step, probability=probability),))


def set_enabled(spec: PipelineSpec, step_id: StepId, enabled: bool) -> PipelineSpec:
    """Switch a step on or off."""
    return _replaced(spec, step_id, lambda step: (replace(step, enabled=enabled),))


def add_branch(spec: PipelineSpec, branch: Branch) -> PipelineSpec:
    """Add a branch after the others: one more image for each original."""
    return _checked(replace(spec, branches=(*spec.branches, branch)))


def remove_branch(spec: PipelineSpec, number: int) -> PipelineSpec:
    """Take a branch away; one has to stay."""
    group_at(spec, number)
    if len(spec.branches) == 1:
        raise ConfigError("This is the only version. Without it there would be no images to train on.")
    return replace(spec, branches=(*spec.branches[:number], *spec.branches[number + 1 :]))


def rename_branch(spec: PipelineSpec, number: int, title: str) -> PipelineSpec:
    """Give a branch another title, 1 to :data:`MAX_TITLE_CHARACTERS` characters."""
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE_CHARACTERS:
        raise ConfigError(f"The title has {len(title)} characters; expected 1 to {MAX_TITLE_CHARACTERS}.")
    group_at(spec, number)
    branch = replace(spec.branches[number], title=title)
    return replace(spec, branches=(*spec.branches[:number], branch, *spec.branches[number + 1 :]))


def new_step(name: str) -> Operator:
    """A step with the settings that it needs; around a flip if it steers others, and a blur if it chooses."""
    info = operator_info(name)
    needed = tuple((each.name, starting_value(each)) for each in info.parameters if each.default is None)
    begin = (Operator("Fliplr"), Operator("GaussianBlur")) if info.choices else (Operator("Fliplr"),)
    return Operator(name, needed, ((info.slots[0][0], begin),) if info.slots else ())


def starting_value(parameter: Parameter) -> Value:
    """A mild value of a setting that the catalogue has no default for."""
    if parameter.default is not None:
        return parameter.default
    if parameter.kind == "word":
        return "HSV" if "HSV" in parameter.words else parameter.words[0]
    if not parameter.drawn:
        return int(parameter.low) if parameter.kind == "integer" else parameter.low
    reach = 0.1 * (parameter.high - parameter.low)
    middle = min(max(0.0, parameter.low), parameter.high)
    low, high = middle - reach, middle + reach
    return Range(nearest(parameter, low), nearest(parameter, high))


def nearest(parameter: Parameter, value: float) -> float:
    """The nearest number that a setting takes: within its bounds, whole and in its steps where it has to be."""
    value = min(max(value, parameter.low), parameter.high)
    if parameter.kind != "integer":
        return round(value, 9)
    steps = round((value - parameter.low) / parameter.step)
    most = int((parameter.high - parameter.low) // parameter.step)
    return int(parameter.low) + parameter.step * min(steps, most)


def as_range(parameter: Parameter, value: Value) -> Range:
    """A range around a fixed value, a tenth of what is possible to each side; a range stays as it is."""
    if isinstance(value, Range):
        return value
    least = float(parameter.step) if parameter.kind == "integer" else 0.0
    reach = max(least, 0.1 * (parameter.high - parameter.low))
    return Range(nearest(parameter, float(value) - reach), nearest(parameter, float(value) + reach))


def as_fixed(parameter: Parameter, value: Value) -> Value:
    """The middle of a range; a fixed value stays as it is."""
    if not isinstance(value, Range):
        return value
    return nearest(parameter, (value.low + value.high) / 2)


def why_not(spec: PipelineSpec, place: Place, name: str) -> str:
    """Why a new step cannot be put at the end of a place; empty where it can."""
    try:
        insert(spec, place, len(group_at(spec, place).steps), new_step(name))
    except AquaDashError as error:
        return str(error)
    return ""


def _found(spec: PipelineSpec, step_id: StepId) -> tuple[Group, int]:
    """Return the list that the step with an id is in, and its index there."""
    for group in groups(spec):
        for index, step in enumerate(group.steps):
            if step.id == step_id is not None:
                return group, index
    raise ConfigError("This step is no longer in the pipeline.")


def _replaced(spec: PipelineSpec, step_id: StepId, change: Callable[[Operator], Steps]) -> PipelineSpec:
    """Return the pipeline with others in the place of a step."""
    group, index = _found(spec, step_id)
    return _changed(spec, group.place, lambda steps: (*steps[:index], *change(steps[index]), *steps[index + 1 :]))


def _changed(spec: PipelineSpec, place: Place, change: Callable[[Steps], Steps]) -> PipelineSpec:
    """Return the pipeline with the steps of one place changed."""
    group = group_at(spec, place)
    steps = change(group.steps)
    if isinstance(place, int):
        before = spec.branches[place]
        title = "Augmented" if before == ORIGINAL and steps else before.title
        branch = Branch(title, steps)
        return _checked(replace(spec, branches=(*spec.branches[:place], branch, *spec.branches[place + 1 :])))
    outer = group.around[-1]
    inner = {**dict(outer.children), place[1]: steps}
    slots = [slot for slot, _ in operator_info(outer.name).slots]
    if not any(inner.values()):
        raise ConfigError(
            f"“{operator_info(outer.name).title}” needs a step inside it. Remove the whole step, or add another one to "
            "it first."
        )
    children = tuple((slot, inner[slot]) for slot in slots if inner.get(slot))
    return _replaced(spec, outer.id, lambda step: (replace(step, children=children),))


def _checked(spec: PipelineSpec) -> PipelineSpec:
    """The pipeline itself if it can be saved and read again."""
    check(spec)
    check_size(spec)
    return spec
