"""Changes of a pipeline. Each gives a new pipeline that passes the check and a pipeline file's limits, or raises.

A *place* is a list of steps: ``(branch,)`` for a branch's own, ``(branch, index, slot)`` for those in a slot of one of
its steps, and so on inwards. A step's *path* is its place and its index there: ``(0, 2)`` is the third step of the
first branch, ``(0, 2, "then_list", 0)`` the first of those inside it. All indices start at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias, TypeVar, cast

from aquadash.augment.catalogue import operator_info
from aquadash.augment.catalogue.parts import Parameter
from aquadash.augment.reading import MAX_DEPTH, check, check_size, height
from aquadash.augment.spec import Branch, Operator, PipelineSpec, Range, Value
from aquadash.errors import AquaDashError, ConfigError

Place: TypeAlias = tuple[int | str, ...]
Path: TypeAlias = tuple[int | str, ...]

#: The greatest number of characters in the title of a branch.
MAX_TITLE_CHARACTERS = 80

#: A page that is older than the pipeline may ask for a step that is gone.
_GONE = "There is no such step in the pipeline any more."

Steps: TypeAlias = tuple[Operator, ...]
T = TypeVar("T")


def paths(spec: PipelineSpec) -> Iterator[tuple[Path, Operator]]:
    """Every step with its path, each before those inside it."""
    for number, branch in enumerate(spec.branches):
        yield from _paths_in((number,), branch.operators)


def _paths_in(place: Place, steps: Steps) -> Iterator[tuple[Path, Operator]]:
    for index, step in enumerate(steps):
        path = (*place, index)
        yield path, step
        for slot, inner in step.children:
            yield from _paths_in((*path, slot), inner)


def path_of(spec: PipelineSpec, step_id: int | None) -> Path:
    """Return the path of the step with an id.

    Raises:
        ConfigError: There is no such step.
    """
    for path, step in paths(spec):
        if step.id == step_id is not None:
            return path
    raise ConfigError(_GONE)


def with_ids(spec: PipelineSpec, unused: int) -> tuple[PipelineSpec, int]:
    """Give an id to every step that has none, or that of a step before it, as a copy has.

    Args:
        spec: The pipeline.
        unused: The next id to give.

    Returns:
        The pipeline and the next id after that.
    """
    given: set[int] = set()

    def identified(step: Operator) -> Operator:
        nonlocal unused
        if step.id is None or step.id in given:
            step, unused = replace(step, id=unused), unused + 1
        given.add(cast(int, step.id))
        return replace(step, children=tuple((slot, tuple(map(identified, inner))) for slot, inner in step.children))

    branches = tuple(replace(branch, operators=tuple(map(identified, branch.operators))) for branch in spec.branches)
    return replace(spec, branches=branches), unused


def steps_at(spec: PipelineSpec, place: Place) -> Steps:
    """The steps of a place, in order.

    Raises:
        ConfigError: There is no such place.
    """
    found: list[Steps] = []

    def look(steps: Steps) -> Steps:
        found.append(steps)
        return steps

    _changed(spec, place, look)
    return found[0]


def step_at(spec: PipelineSpec, path: Path) -> Operator:
    """The step of a path.

    Raises:
        ConfigError: There is no such step.
    """
    return _one(steps_at(spec, path[:-1]), path[-1])


def insert(spec: PipelineSpec, place: Place, index: int, step: Operator) -> PipelineSpec:
    """Put a step before the one of that index, or at the end."""
    return _checked(_changed(spec, place, lambda steps: (*steps[:index], step, *steps[index:])))


def remove(spec: PipelineSpec, path: Path) -> PipelineSpec:
    """Take a step out, with what is inside it."""
    return _checked(_without(spec, path))


def duplicate(spec: PipelineSpec, path: Path) -> PipelineSpec:
    """Put a copy of a step after it."""
    return insert(spec, path[:-1], cast(int, path[-1]) + 1, step_at(spec, path))


def move(spec: PipelineSpec, path: Path, index: int) -> PipelineSpec:
    """Bring a step to another index among its neighbours; one beyond the ends is the end."""
    step = step_at(spec, path)

    def change(steps: Steps) -> Steps:
        others = [other for number, other in enumerate(steps) if number != path[-1]]
        target = min(max(index, 0), len(others))
        return (*others[:target], step, *others[target:])

    return _checked(_changed(spec, path[:-1], change))


def relocate(spec: PipelineSpec, path: Path, place: Place) -> PipelineSpec:
    """Take a step out and put it at the end of another place, of another branch, too."""
    if place[: len(path)] == path:
        raise ConfigError("A step cannot be moved into itself. Choose another place.")
    step = step_at(spec, path)
    depth = len(path) - 1
    if len(place) > depth and place[:depth] == path[:-1] and cast(int, place[depth]) > cast(int, path[-1]):
        # The way to the place leads through a neighbour that moves up when the step is taken out.
        place = (*place[:depth], cast(int, place[depth]) - 1, *place[depth + 1 :])
    taken_out = _without(spec, path)
    return _checked(_changed(taken_out, place, lambda steps: (*steps, step)))


def wrap(spec: PipelineSpec, path: Path, name: str) -> PipelineSpec:
    """Put a new step that steers others in the place of a step, and the step into it."""
    slots = operator_info(name).slots
    if not slots:
        raise ConfigError(f"{name} steers no other operators; nothing can be put into it.")
    inner = step_at(spec, path)
    return replace_step(spec, path, replace(new_step(name), children=((slots[0][0], (inner,)),)))


def dissolve(spec: PipelineSpec, path: Path) -> PipelineSpec:
    """Put what is inside a step in its place."""
    return _checked(_instead(spec, path, *(child for _, inner in step_at(spec, path).children for child in inner)))


def replace_step(spec: PipelineSpec, path: Path, step: Operator) -> PipelineSpec:
    """Put another step in the place of one."""
    return _checked(_instead(spec, path, step))


def set_setting(spec: PipelineSpec, path: Path, name: str, value: Value) -> PipelineSpec:
    """Give a setting of a step a value; the settings stay in the catalogue's order."""
    step = step_at(spec, path)
    info = operator_info(step.name)
    info.parameter(name)
    given = {**dict(step.settings), name: value}
    ordered = tuple((each.name, given[each.name]) for each in info.parameters if each.name in given)
    return replace_step(spec, path, replace(step, settings=ordered))


def set_probability(spec: PipelineSpec, path: Path, probability: float) -> PipelineSpec:
    """Set the share of the images that a step is applied to, 0 to 1."""
    return replace_step(spec, path, replace(step_at(spec, path), probability=probability))


def set_enabled(spec: PipelineSpec, path: Path, enabled: bool) -> PipelineSpec:
    """Switch a step on or off."""
    return replace_step(spec, path, replace(step_at(spec, path), enabled=enabled))


def add_branch(spec: PipelineSpec, branch: Branch) -> PipelineSpec:
    """Add a branch after the others: one more image for each original."""
    return _checked(replace(spec, branches=(*spec.branches, branch)))


def remove_branch(spec: PipelineSpec, number: int) -> PipelineSpec:
    """Take a branch away; one has to stay."""
    _one(spec.branches, number)
    if len(spec.branches) == 1:
        raise ConfigError("This is the only version of the images; without it there would be none to train on.")
    return replace(spec, branches=(*spec.branches[:number], *spec.branches[number + 1 :]))


def rename_branch(spec: PipelineSpec, number: int, title: str) -> PipelineSpec:
    """Give a branch another title, 1 to :data:`MAX_TITLE_CHARACTERS` characters."""
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE_CHARACTERS:
        raise ConfigError(f"The title has {len(title)} characters; expected 1 to {MAX_TITLE_CHARACTERS}.")
    branch = replace(_one(spec.branches, number), title=title)
    return replace(spec, branches=(*spec.branches[:number], branch, *spec.branches[number + 1 :]))


def new_step(name: str) -> Operator:
    """A step as the catalogue has it, what it needs filled in.

    One that steers others begins with a flip in it, and with a blur where it chooses among several.
    """
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
        insert(spec, place, len(steps_at(spec, place)), new_step(name))
    except AquaDashError as error:
        return str(error)
    return ""


def room_for(place: Place, step: Operator) -> bool:
    """Whether a step, with those inside it, can stand in a place without being nested too deep."""
    return (len(place) - 1) // 2 + height((step,)) <= MAX_DEPTH


def _without(spec: PipelineSpec, path: Path) -> PipelineSpec:
    changed = _instead(spec, path)
    if len(path) > 2 and not any(inner for _, inner in step_at(changed, path[:-2]).children):
        outer = operator_info(step_at(changed, path[:-2]).name).title
        raise ConfigError(
            f"“{outer}” would have no step left in it. Take the whole of it away, or put another step into it first."
        )
    return changed


def _instead(spec: PipelineSpec, path: Path, *steps: Operator) -> PipelineSpec:
    """The pipeline with others in the place of a step."""
    step_at(spec, path)
    index = cast(int, path[-1])
    return _changed(spec, path[:-1], lambda there: (*there[:index], *steps, *there[index + 1 :]))


def _changed(spec: PipelineSpec, place: Place, change: Callable[[Steps], Steps]) -> PipelineSpec:
    """The pipeline with the steps of one place changed; every other step stays the same object."""
    number = cast(int, place[0])
    branch = _one(spec.branches, number)
    steps = _changed_within(branch.operators, place[1:], change)
    return replace(
        spec,
        branches=(*spec.branches[:number], replace(branch, operators=steps), *spec.branches[number + 1 :]),
    )


def _changed_within(steps: Steps, place: Place, change: Callable[[Steps], Steps]) -> Steps:
    if not place:
        return change(steps)
    index, slot = cast(int, place[0]), cast(str, place[1])
    step = _one(steps, index)
    slots = [name for name, _ in operator_info(step.name).slots]
    if slot not in slots:
        raise ConfigError("There is no such place in the pipeline any more.")
    inner = {**dict(step.children), slot: _changed_within(step.slot(slot), place[2:], change)}
    children = tuple((name, inner[name]) for name in slots if inner.get(name))
    return (*steps[:index], replace(step, children=children), *steps[index + 1 :])


def _one(things: tuple[T, ...], index: int | str) -> T:
    """The thing of that index."""
    if not isinstance(index, int) or not 0 <= index < len(things):
        raise ConfigError(_GONE)
    return things[index]


def _checked(spec: PipelineSpec) -> PipelineSpec:
    """The pipeline itself if it can be saved and read again."""
    check(spec)
    check_size(spec)
    return spec
