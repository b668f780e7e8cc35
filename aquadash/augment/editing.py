"""Changes of a pipeline: each returns a new pipeline within the limits of the catalogue and of a file, or raises.

Every step has an id, see :func:`with_ids`. A *place* names a list of steps: those of a branch by its number, from 0, or
those inside a step by its id and a slot.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from aquadash.augment.catalogue import Parameter, operator_info
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
    """A list of steps, even if it is empty: a branch's own, or those in a slot of one of its steps."""

    place: Place
    #: The number of its branch, from 0.
    branch: int
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
        """Return the number of the step at an index: ``"2"``, or ``"2.1 (where the mask is high)"`` inside another."""
        number = f"{self.number}.{index + 1}" if self.around else str(index + 1)
        return f"{number} ({self.slot_title})" if self.slot_title else number

    def has_room_for(self, step: Operator) -> bool:
        """Return whether a step can be added without exceeding the depth of steps."""
        return len(self.around) + height((step,)) <= MAX_DEPTH


def groups(spec: PipelineSpec) -> Iterator[Group]:
    """Yield every list of steps, each before those inside its steps."""
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
    """Give a new id, from ``unused`` on, to every step without one and to copies; return the next unused id, too."""
    taken: set[int] = set()
    every = (step.id for branch in spec.branches for step in walk(branch.operators))
    unused = max((unused, *(1 + number for number in every if number is not None)))

    def identified(step: Operator) -> Operator:
        nonlocal unused
        number = step.id
        if number is None or number in taken:
            number, unused = unused, unused + 1
        taken.add(number)
        children = tuple((slot, tuple(map(identified, inner))) for slot, inner in step.children)
        return replace(step, id=number, children=children)

    branches = tuple(replace(branch, operators=tuple(map(identified, branch.operators))) for branch in spec.branches)
    return replace(spec, branches=branches), unused


def append(spec: PipelineSpec, place: Place, step: Operator) -> PipelineSpec:
    """Add a step at the end of a place."""
    return _changed(spec, place, lambda steps: (*steps, step))


def remove(spec: PipelineSpec, step_id: StepId) -> PipelineSpec:
    """Remove a step with the steps inside it."""
    return _replaced(spec, step_id, lambda step: ())


def duplicate(spec: PipelineSpec, step_id: StepId) -> PipelineSpec:
    """Put a copy of a step after it."""
    return _replaced(spec, step_id, lambda step: (step, step))


def move(spec: PipelineSpec, step_id: StepId, index: int) -> PipelineSpec:
    """Move a step to another index in its list, or to an end for an index beyond it."""
    group, before = _find(spec, step_id)
    steps = list(group.steps)
    steps.insert(max(index, 0), steps.pop(before))
    return _changed(spec, group.place, lambda _: tuple(steps))


def shift(spec: PipelineSpec, step_id: StepId, by: int) -> PipelineSpec:
    """Move a step up (below 0) or down in its list."""
    return move(spec, step_id, _find(spec, step_id)[1] + by)


def relocate(spec: PipelineSpec, step_id: StepId, place: Place) -> PipelineSpec:
    """Move a step to the end of another place, also of another branch."""
    group, index = _find(spec, step_id)
    return append(remove(spec, step_id), place, group.steps[index])


def wrap(spec: PipelineSpec, step_id: StepId, name: str) -> PipelineSpec:
    """Put a step into a new step that steers others."""
    outer, slot = new_step(name), operator_info(name).slots[0][0]
    return _replaced(spec, step_id, lambda step: (replace(outer, children=((slot, (step,)),)),))


def dissolve(spec: PipelineSpec, step_id: StepId) -> PipelineSpec:
    """Replace a step by the steps inside it."""
    return _replaced(spec, step_id, lambda step: tuple(child for _, inner in step.children for child in inner))


def set_setting(spec: PipelineSpec, step_id: StepId, name: str, value: Value) -> PipelineSpec:
    """Set a setting of a step; the settings stay in the catalogue's order."""

    def change(step: Operator) -> Steps:
        info = operator_info(step.name)
        info.parameter(name)
        values = {**dict(step.settings), name: value}
        ordered = tuple((each.name, values[each.name]) for each in info.parameters if each.name in values)
        return (replace(step, settings=ordered),)

    return _replaced(spec, step_id, change)


def set_probability(spec: PipelineSpec, step_id: StepId, probability: float) -> PipelineSpec:
    """Set the share of the images that a step is applied to, 0 to 1."""
    return _replaced(spec, step_id, lambda step: (replace(step, probability=probability),))


def set_enabled(spec: PipelineSpec, step_id: StepId, enabled: bool) -> PipelineSpec:
    """Switch a step on or off."""
    return _replaced(spec, step_id, lambda step: (replace(step, enabled=enabled),))


def add_branch(spec: PipelineSpec, branch: Branch) -> PipelineSpec:
    """Add a branch at the end: one more image for each original."""
    return _with_branches(spec, spec.factor, branch)


def remove_branch(spec: PipelineSpec, number: int) -> PipelineSpec:
    """Remove a branch, but not the last one."""
    return _with_branches(spec, number)


def rename_branch(spec: PipelineSpec, number: int, title: str) -> PipelineSpec:
    """Set the title of a branch, 1 to :data:`MAX_TITLE_CHARACTERS` characters."""
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE_CHARACTERS:
        raise ConfigError(f"The title has {len(title)} characters; expected 1 to {MAX_TITLE_CHARACTERS}.")
    group_at(spec, number)
    return _with_branches(spec, number, replace(spec.branches[number], title=title))


def new_step(name: str) -> Operator:
    """Return a step with the settings that it needs; one that steers others has a flip inside, and a choice a blur."""
    info = operator_info(name)
    needed = tuple((each.name, starting_value(each)) for each in info.parameters if each.default is None)
    begin = (Operator("Fliplr"), Operator("GaussianBlur")) if info.choices else (Operator("Fliplr"),)
    return Operator(name, needed, ((info.slots[0][0], begin),) if info.slots else ())


def starting_value(parameter: Parameter) -> Value:
    """Return the default of a setting, or a mild value without one."""
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
    """Return the nearest number that a setting takes: within its bounds and, for whole numbers, in its steps."""
    value = min(max(value, parameter.low), parameter.high)
    if parameter.kind != "integer":
        return round(value, 9)
    steps = round((value - parameter.low) / parameter.step)
    most = int((parameter.high - parameter.low) // parameter.step)
    return int(parameter.low) + parameter.step * min(steps, most)


def as_range(parameter: Parameter, value: Value) -> Range:
    """Return a range around a fixed value, which reaches a tenth of the setting's span to each side."""
    if isinstance(value, Range):
        return value
    least = float(parameter.step) if parameter.kind == "integer" else 0.0
    reach = max(least, 0.1 * (parameter.high - parameter.low))
    return Range(nearest(parameter, float(value) - reach), nearest(parameter, float(value) + reach))


def as_fixed(parameter: Parameter, value: Value) -> Value:
    """Return the middle of a range; a fixed value stays as it is."""
    return nearest(parameter, (value.low + value.high) / 2) if isinstance(value, Range) else value


def why_not(spec: PipelineSpec, place: Place, name: str) -> str:
    """Return why a new step cannot be added to a place; empty if it can."""
    try:
        append(spec, place, new_step(name))
    except AquaDashError as error:
        return str(error)
    return ""


def _find(spec: PipelineSpec, step_id: StepId) -> tuple[Group, int]:
    """Return the list that the step with an id is in, and its index there."""
    for group in groups(spec):
        for index, step in enumerate(group.steps):
            if step.id == step_id is not None:
                return group, index
    raise ConfigError("This step is no longer in the pipeline.")


def _replaced(spec: PipelineSpec, step_id: StepId, change: Callable[[Operator], Steps]) -> PipelineSpec:
    """Return the pipeline with other steps in the place of a step."""
    group, index = _find(spec, step_id)
    return _changed(spec, group.place, lambda steps: (*steps[:index], *change(steps[index]), *steps[index + 1 :]))


def _changed(spec: PipelineSpec, place: Place, change: Callable[[Steps], Steps]) -> PipelineSpec:
    group = group_at(spec, place)
    steps = change(group.steps)
    if isinstance(place, int):
        before = spec.branches[place]
        title = "Augmented" if before == ORIGINAL and steps else before.title
        return _with_branches(spec, place, Branch(title, steps))
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


def _with_branches(spec: PipelineSpec, number: int, *branches: Branch) -> PipelineSpec:
    """Return the pipeline with others in the place of a branch; raise an error if it could not be read from a file."""
    changed = replace(spec, branches=(*spec.branches[:number], *branches, *spec.branches[number + 1 :]))
    check(changed)
    check_size(changed)
    return changed
