"""Changes of a pipeline, each a new one that passes the check; undo, redo, and which step is which over all of them."""

from collections.abc import Callable

import pytest

from aquadash.augment import OPERATORS, Branch, Operator, PipelineSpec, Range, editing, from_json, op
from aquadash.augment.history import MAX_STATES, TOGETHER_SECONDS, History
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import MAX_BRANCHES, MAX_DEPTH, MAX_OPERATORS
from aquadash.augment.spec import walk
from aquadash.errors import AquaDashError, ConfigError

FLIP, BLUR, SWAP = op("Fliplr", p=0.5), op("GaussianBlur"), op("ChannelShuffle")
GROUP = op("Sometimes", then_list=(BLUR, SWAP))
SPEC, _ = editing.with_ids(PipelineSpec("mine", "Mine", "", (Branch("One", (FLIP, GROUP, SWAP)), Branch("Two", ()))))
#: Ids, given in this order.
FLIPPED, GROUPED, BLURRED, SWAPPED, LAST = range(5)
INSIDE: editing.Place = (GROUPED, "then_list")


def names(spec: PipelineSpec, place: editing.Place = 0) -> list[str]:
    return [step.name for step in editing.group_at(spec, place).steps]


def by_id(spec: PipelineSpec) -> dict[int | None, Operator]:
    return {step.id: step for group in editing.groups(spec) for step in group.steps}


def test_a_step_is_added_removed_and_duplicated_at_any_depth() -> None:
    assert names(editing.append(SPEC, 1, BLUR), 1) == ["GaussianBlur"]
    assert names(editing.append(SPEC, INSIDE, FLIP), INSIDE) == ["GaussianBlur", "ChannelShuffle", "Fliplr"]
    assert names(editing.remove(SPEC, GROUPED)) == ["Fliplr", "ChannelShuffle"]
    assert names(editing.remove(SPEC, BLURRED), INSIDE) == ["ChannelShuffle"]
    assert names(editing.duplicate(SPEC, GROUPED)) == ["Fliplr", "Sometimes", "Sometimes", "ChannelShuffle"]
    assert names(SPEC) == ["Fliplr", "Sometimes", "ChannelShuffle"], "the old one stays as it was"


def test_a_step_moves_to_an_index_and_no_further_than_the_end_and_into_a_group_and_out_of_it() -> None:
    assert names(editing.move(SPEC, FLIPPED, 1)) == ["Sometimes", "Fliplr", "ChannelShuffle"]
    assert names(editing.move(SPEC, FLIPPED, 99)) == ["Sometimes", "ChannelShuffle", "Fliplr"]
    assert names(editing.shift(SPEC, LAST, by=-1)) == ["Fliplr", "ChannelShuffle", "Sometimes"]
    moved = editing.relocate(SPEC, FLIPPED, INSIDE)
    assert names(moved) == ["Sometimes", "ChannelShuffle"]
    assert names(moved, INSIDE) == ["GaussianBlur", "ChannelShuffle", "Fliplr"]
    out = editing.relocate(SPEC, BLURRED, 1)
    assert names(out, 1) == ["GaussianBlur"] and names(out, INSIDE) == ["ChannelShuffle"]


def test_a_step_is_wrapped_and_unwrapped() -> None:
    wrapped, _ = editing.with_ids(editing.wrap(SPEC, FLIPPED, "WithColorspace"), 5)
    assert by_id(wrapped)[5] == op("WithColorspace", to_colorspace="HSV", children=FLIP)
    assert editing.dissolve(wrapped, 5) == SPEC
    assert names(editing.dissolve(SPEC, GROUPED)) == ["Fliplr", "GaussianBlur", "ChannelShuffle", "ChannelShuffle"]


def test_settings_probability_and_switch_change_one_step_only() -> None:
    changed = editing.set_setting(SPEC, BLURRED, "sigma", Range(0.0, 1.0))
    changed = editing.set_probability(changed, BLURRED, 0.25)
    changed = editing.set_enabled(changed, BLURRED, False)
    operators = by_id(changed)
    assert operators.pop(BLURRED) == op("GaussianBlur", sigma=Range(0.0, 1.0), probability=0.25, enabled=False)
    assert [operators[each] for each in (FLIPPED, SWAPPED, LAST)] == [FLIP, SWAP, SWAP]


def test_branches_are_added_renamed_and_removed_but_for_the_last() -> None:
    more = editing.rename_branch(editing.add_branch(SPEC, Branch("Three", (BLUR,))), 2, "  Soft  ones ")
    assert [branch.title for branch in more.branches] == ["One", "Two", "Soft ones"]
    assert editing.remove_branch(editing.remove_branch(more, 0), 0).branches == (more.branches[2],)
    with pytest.raises(ConfigError, match="has no branch"):
        editing.remove_branch(PIPELINES["notebook-1"], 0)
    for title in ("", "  ", "x" * 81):
        with pytest.raises(ConfigError, match="expected 1 to 80"):
            editing.rename_branch(SPEC, 0, title)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_can_be_added_and_its_settings_turn_to_a_range_and_back_within_their_bounds(name: str) -> None:
    spec, _ = editing.with_ids(editing.append(SPEC, INSIDE, editing.new_step(name)), 5)
    assert from_json(spec.to_json()) == spec
    for parameter in OPERATORS[name].parameters:
        editing.set_setting(spec, 5, parameter.name, editing.starting_value(parameter))
        if not parameter.drawn:
            continue
        for value in (parameter.low, parameter.high, editing.starting_value(parameter)):
            drawn = editing.as_range(parameter, value)
            assert parameter.low <= drawn.low <= drawn.high <= parameter.high and drawn.low < drawn.high
            fixed = editing.as_fixed(parameter, drawn)
            assert isinstance(fixed, (int, float)) and drawn.low <= fixed <= drawn.high
            for each in (drawn, fixed):
                editing.set_setting(spec, 5, parameter.name, each)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: editing.remove(SPEC, 9), "step is no longer"),
        (lambda: editing.append(SPEC, (FLIPPED, "then_list"), BLUR), "place is no longer"),
        (lambda: editing.append(SPEC, 0, Operator("Flipr")), "Fliplr"),
        (lambda: editing.relocate(SPEC, GROUPED, INSIDE), "place is no longer"),
        (lambda: editing.remove(editing.remove(SPEC, BLURRED), SWAPPED), "needs a step inside it"),
        (lambda: editing.set_probability(SPEC, FLIPPED, 1.5), "expected 0 to 1"),
        (lambda: editing.set_setting(SPEC, FLIPPED, "p", 7.0), "number from 0 to 1"),
    ],
)
def test_what_cannot_be_done_is_refused(change: Callable[[], object], message: str) -> None:
    with pytest.raises(AquaDashError, match=message):
        change()


def test_the_limits_of_a_pipelines_file_hold_for_the_builder_too() -> None:
    spec = SPEC
    for _ in range(MAX_DEPTH - 1):
        spec, _ = editing.with_ids(editing.wrap(spec, FLIPPED, "Sequential"))
    deep = spec.branches[0].operators[0]
    assert editing.group_at(spec, 1).has_room_for(deep)
    assert not editing.group_at(spec, INSIDE).has_room_for(deep)
    assert from_json(spec.to_json()) == spec
    with pytest.raises(ConfigError, match=f"at most {MAX_DEPTH} levels deep"):
        editing.wrap(spec, FLIPPED, "Sequential")

    branches = (Branch("One", (BLUR,) * MAX_OPERATORS),) + (Branch("x", ()),) * (MAX_BRANCHES - 1)
    full, _ = editing.with_ids(PipelineSpec("mine", "Mine", "", branches))
    with pytest.raises(ConfigError, match=f"at most {MAX_OPERATORS} are allowed"):
        editing.duplicate(full, 0)
    with pytest.raises(ConfigError, match=f"at most {MAX_BRANCHES} are allowed"):
        editing.add_branch(full, Branch("x", ()))


#: Each operator once, so that its name says which step it is.
ONCE, _ = editing.with_ids(PipelineSpec("mine", "Mine", "", (Branch("One", (op("Fliplr"), GROUP, op("Sharpen"))),)))
START = History.start(ONCE, base="none", version="")


def ids(history: History) -> dict[str, int | None]:
    """The id of each step by its name."""
    return {step.name: step.id for step in by_id(history.present.spec).values()}


def test_undo_and_redo_walk_through_all_states_whose_number_is_bounded() -> None:
    specs = [ONCE]
    history = START
    for share in (0.1, 0.2, 0.3):
        specs.append(editing.set_probability(specs[-1], FLIPPED, share))
        history = history.record(specs[-1])
    for spec in reversed(specs[:-1]):
        history = history.undo()
        assert history.present.spec == spec
    assert history.undo() is history
    for spec in specs[1:]:
        history = history.redo()
        assert history.present.spec == spec
    assert history.redo() is history
    assert history.undo().record(ONCE).future == ()
    for _ in range(MAX_STATES + 20):
        history = history.record(ONCE)
    assert len(history.past) == MAX_STATES


def test_the_states_of_one_dragged_slider_are_undone_together() -> None:
    def spec(share: float) -> PipelineSpec:
        return editing.set_probability(ONCE, FLIPPED, share)

    history = START
    for tenth in range(5):
        history = history.record(spec(tenth / 10), tag="probability 0", now=100 + tenth)
    assert len(history.past) == 1 and history.undo().present.spec == ONCE
    later = history.record(spec(0.9), tag="probability 0", now=104 + TOGETHER_SECONDS)
    assert len(later.past) == 2
    assert len(history.record(spec(0.9), tag="another", now=104).past) == 2
    assert len(history.record(spec(0.9), now=104).record(spec(0.8), now=104).past) == 3
    assert len(history.undo().record(spec(0.9), tag="probability 0", now=104).past) == 1


def test_a_step_keeps_its_id_which_no_copy_and_no_later_step_gets() -> None:
    before, spec = ids(START), START.present.spec
    assert sorted(before.values()) == [0, 1, 2, 3, 4]
    for changed in (
        editing.set_probability(spec, BLURRED, 0.3),
        editing.set_enabled(spec, GROUPED, False),
        editing.move(spec, BLURRED, 1),
        editing.relocate(spec, FLIPPED, INSIDE),
    ):
        assert ids(START.record(changed)) == before
    added = START.record(editing.append(spec, 0, op("Add")))
    assert ids(added) == {**before, "Add": 5}
    again = added.undo().record(editing.append(spec, 0, op("Multiply")))
    assert ids(again) == {**before, "Multiply": 6}
    double = START.record(editing.duplicate(spec, GROUPED)).present.spec
    assert [step.id for step in walk(double.branches[0].operators)] == [0, 1, 2, 3, 5, 6, 7, 4]
