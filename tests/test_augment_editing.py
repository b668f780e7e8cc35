"""Changes of a pipeline, each a new one that passes the check; undo, redo, and which step is which over all of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquadash.augment import OPERATORS, Branch, Operator, PipelineSpec, Range, editing, from_json, op
from aquadash.augment.history import MAX_STATES, TOGETHER_SECONDS, History
from aquadash.augment.pipelines import PIPELINES
from aquadash.augment.reading import MAX_BRANCHES, MAX_DEPTH, MAX_OPERATORS
from aquadash.errors import AquaDashError, ConfigError

FLIP, BLUR, SWAP = op("Fliplr", p=0.5), op("GaussianBlur"), op("ChannelShuffle")
GROUP = op("Sometimes", then_list=(BLUR, SWAP))
SPEC = PipelineSpec("mine", "Mine", "", (Branch("One", (FLIP, GROUP, SWAP)), Branch("Two")))
INSIDE: editing.Place = (0, 1, "then_list")


def names(spec: PipelineSpec, place: editing.Place = (0,)) -> list[str]:
    return [step.name for step in editing.steps_at(spec, place)]


def test_every_step_has_a_path_that_leads_to_it() -> None:
    found = dict(editing.paths(SPEC))
    assert list(found) == [(0, 0), (0, 1), (*INSIDE, 0), (*INSIDE, 1), (0, 2)]
    assert all(editing.step_at(SPEC, path) is step for path, step in found.items())


def test_a_step_is_inserted_removed_and_duplicated_at_any_depth() -> None:
    assert names(editing.insert(SPEC, (1,), 0, BLUR), (1,)) == ["GaussianBlur"]
    assert names(editing.insert(SPEC, INSIDE, 1, FLIP), INSIDE) == ["GaussianBlur", "Fliplr", "ChannelShuffle"]
    assert names(editing.remove(SPEC, (0, 1))) == ["Fliplr", "ChannelShuffle"]
    assert names(editing.remove(SPEC, (*INSIDE, 0)), INSIDE) == ["ChannelShuffle"]
    assert names(editing.duplicate(SPEC, (0, 1))) == ["Fliplr", "Sometimes", "Sometimes", "ChannelShuffle"]
    assert names(SPEC) == ["Fliplr", "Sometimes", "ChannelShuffle"], "the old one stays as it was"


def test_a_step_moves_to_an_index_and_no_further_than_the_end() -> None:
    assert names(editing.move(SPEC, (0, 0), 1)) == ["Sometimes", "Fliplr", "ChannelShuffle"]
    assert names(editing.move(SPEC, (0, 0), 99)) == ["Sometimes", "ChannelShuffle", "Fliplr"]


def test_a_step_moves_into_a_group_that_moves_up_by_that() -> None:
    moved = editing.relocate(SPEC, (0, 0), INSIDE)
    assert names(moved) == ["Sometimes", "ChannelShuffle"]
    assert names(moved, (0, 0, "then_list")) == ["GaussianBlur", "ChannelShuffle", "Fliplr"]
    out = editing.relocate(SPEC, (*INSIDE, 0), (1,))
    assert names(out, (1,)) == ["GaussianBlur"] and names(out, INSIDE) == ["ChannelShuffle"]
    after = editing.relocate(SPEC, (0, 2), INSIDE)
    assert names(after, INSIDE) == ["GaussianBlur", "ChannelShuffle", "ChannelShuffle"]


def test_a_step_is_wrapped_and_unwrapped() -> None:
    wrapped = editing.wrap(SPEC, (0, 0), "WithColorspace")
    assert editing.step_at(wrapped, (0, 0)) == op("WithColorspace", to_colorspace="HSV", children=FLIP)
    assert editing.dissolve(wrapped, (0, 0)) == SPEC
    assert names(editing.dissolve(SPEC, (0, 1))) == ["Fliplr", "GaussianBlur", "ChannelShuffle", "ChannelShuffle"]


def test_settings_probability_and_switch_change_one_step_only() -> None:
    path = (*INSIDE, 0)
    changed = editing.set_setting(SPEC, path, "sigma", Range(0.0, 1.0))
    changed = editing.set_probability(changed, path, 0.25)
    changed = editing.set_enabled(changed, path, False)
    assert editing.step_at(changed, path) == op("GaussianBlur", sigma=Range(0.0, 1.0), probability=0.25, enabled=False)
    assert [step for at, step in editing.paths(changed) if at not in (path, (0, 1))] == [FLIP, SWAP, SWAP]

    # Whatever is set first, settings stand in the catalogue's order.
    spec = PipelineSpec("mine", "Mine", "", (Branch("One", (op("Add"),)),))
    spec = editing.set_setting(editing.set_setting(spec, (0, 0), "per_channel", 0.5), (0, 0), "value", 3)
    assert editing.step_at(spec, (0, 0)).settings == (("value", 3), ("per_channel", 0.5))


def test_branches_are_added_renamed_and_removed_but_for_the_last() -> None:
    more = editing.rename_branch(editing.add_branch(SPEC, Branch("Three", (BLUR,))), 2, "  Soft  ones ")
    assert [branch.title for branch in more.branches] == ["One", "Two", "Soft ones"]
    assert editing.remove_branch(editing.remove_branch(more, 0), 0).branches == (more.branches[2],)
    with pytest.raises(ConfigError, match="only version"):
        editing.remove_branch(PIPELINES["notebook-1"], 0)
    for title in ("", "  ", "x" * 81):
        with pytest.raises(ConfigError, match="expected 1 to 80"):
            editing.rename_branch(SPEC, 0, title)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_can_be_added_and_its_settings_turn_to_a_range_and_back_within_their_bounds(name: str) -> None:
    spec = editing.insert(SPEC, INSIDE, 0, editing.new_step(name))
    assert from_json(spec.to_json()) == spec
    for parameter in OPERATORS[name].parameters:
        editing.set_setting(spec, (*INSIDE, 0), parameter.name, editing.starting_value(parameter))
        if not parameter.drawn:
            continue
        for value in (parameter.low, parameter.high, editing.starting_value(parameter)):
            drawn = editing.as_range(parameter, value)
            assert parameter.low <= drawn.low <= drawn.high <= parameter.high and drawn.low < drawn.high
            fixed = editing.as_fixed(parameter, drawn)
            assert isinstance(fixed, (int, float)) and drawn.low <= fixed <= drawn.high
            for each in (drawn, fixed):
                editing.set_setting(spec, (*INSIDE, 0), parameter.name, each)


def test_a_step_that_a_place_cannot_take_says_why() -> None:
    channel = editing.insert(SPEC, (1,), 0, editing.new_step("WithChannels"))
    assert editing.why_not(channel, (1,), "Grayscale") == ""
    assert "Grayscale" in editing.why_not(channel, (1, 0, "children"), "Grayscale")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: editing.remove(SPEC, (0, 9)), "no such step"),
        (lambda: editing.step_at(SPEC, (7, 0)), "no such step"),
        (lambda: editing.insert(SPEC, (0, 0, "then_list"), 0, BLUR), "no such place"),
        (lambda: editing.insert(SPEC, (0,), 0, Operator("Flipr")), "Fliplr"),
        (lambda: editing.relocate(SPEC, (0, 1), INSIDE), "into itself"),
        (lambda: editing.wrap(SPEC, (0, 0), "GaussianBlur"), "steers no other"),
        (lambda: editing.remove(editing.remove(SPEC, (*INSIDE, 0)), (*INSIDE, 0)), "no step left"),
        (lambda: editing.relocate(editing.remove(SPEC, (*INSIDE, 0)), (*INSIDE, 0), (0,)), "no step left"),
        (lambda: editing.set_probability(SPEC, (0, 0), 1.5), "expected 0 to 1"),
        (lambda: editing.set_setting(SPEC, (0, 0), "p", 7.0), "number from 0 to 1"),
        (lambda: editing.set_setting(SPEC, (0, 0), "q", 7.0), "no setting of Fliplr"),
    ],
)
def test_what_cannot_be_done_is_refused(change: Callable[[], object], message: str) -> None:
    with pytest.raises(AquaDashError, match=message):
        change()


def test_the_limits_of_a_pipelines_file_hold_for_the_builder_too() -> None:
    spec, path = SPEC, (0, 0)
    for _ in range(MAX_DEPTH - 1):
        spec = editing.wrap(spec, path, "Sequential")
    assert editing.room_for((0,), editing.step_at(spec, path))
    assert not editing.room_for((1, 0, "then_list"), editing.step_at(spec, path))
    assert from_json(spec.to_json()) == spec
    with pytest.raises(ConfigError, match=f"more than {MAX_DEPTH} deep"):
        editing.wrap(spec, path, "Sequential")

    full = PipelineSpec(
        "mine", "Mine", "", (Branch("One", (BLUR,) * MAX_OPERATORS),) + (Branch("x"),) * (MAX_BRANCHES - 1)
    )
    with pytest.raises(ConfigError, match=f"{MAX_OPERATORS} are the most"):
        editing.duplicate(full, (0, 0))
    with pytest.raises(ConfigError, match=f"{MAX_BRANCHES} are the most"):
        editing.add_branch(full, Branch("x"))


#: Each operator once, so that its name says which step it is.
ONCE = PipelineSpec("mine", "Mine", "", (Branch("One", (op("Fliplr"), GROUP, op("Sharpen"))),))
START = History.start(ONCE, base="none", version="")


def ids(history: History) -> dict[str, int | None]:
    """The id of each step by its name."""
    return {step.name: step.id for _, step in editing.paths(history.present.spec)}


def test_undo_and_redo_walk_through_all_states() -> None:
    specs = [ONCE]
    history = START
    for share in (0.1, 0.2, 0.3):
        specs.append(editing.set_probability(specs[-1], (0, 0), share))
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


def test_the_states_of_one_dragged_slider_are_undone_together() -> None:
    def spec(share: float) -> PipelineSpec:
        return editing.set_probability(ONCE, (0, 0), share)

    history = START
    for tenth in range(5):
        history = history.record(spec(tenth / 10), tag="probability 0", now=100 + tenth)
    assert len(history.past) == 1 and history.undo().present.spec == ONCE
    later = history.record(spec(0.9), tag="probability 0", now=104 + TOGETHER_SECONDS)
    assert len(later.past) == 2
    assert len(history.record(spec(0.9), tag="another", now=104).past) == 2
    assert len(history.record(spec(0.9), now=104).record(spec(0.8), now=104).past) == 3
    assert len(history.undo().record(spec(0.9), tag="probability 0", now=104).past) == 1


def test_memory_is_bounded() -> None:
    history = START
    for _ in range(MAX_STATES + 20):
        history = history.record(ONCE)
    assert len(history.past) == MAX_STATES


def test_a_step_keeps_its_id_when_it_or_another_changes_or_moves() -> None:
    before, spec = ids(START), START.present.spec
    assert sorted(before.values()) == [0, 1, 2, 3, 4]
    for changed in (
        editing.set_probability(spec, (*INSIDE, 0), 0.3),
        editing.set_enabled(spec, (0, 1), False),
        editing.move(spec, (0, 1), 0),
        editing.move(spec, (*INSIDE, 0), 1),
        editing.relocate(spec, (*INSIDE, 0), (0,)),
        editing.relocate(spec, (0, 0), INSIDE),
    ):
        assert ids(START.record(changed)) == before
        assert all(editing.path_of(changed, step.id) == path for path, step in editing.paths(changed))


def test_a_new_step_gets_a_new_id_that_is_never_given_again_and_a_copy_one_of_its_own() -> None:
    spec = START.present.spec
    added = START.record(editing.insert(spec, (0,), 0, op("Add")))
    assert ids(added) == {**ids(START), "Add": 5}
    again = added.undo().record(editing.insert(spec, (0,), 1, op("Multiply")))
    assert ids(again) == {**ids(START), "Multiply": 6}
    wrapped = ids(START.record(editing.wrap(spec, (0, 0), "WithColorspace")))
    assert wrapped == {**ids(START), "WithColorspace": 5}
    double = START.record(editing.duplicate(spec, (0, 1)))
    assert [step.id for _, step in editing.paths(double.present.spec)] == [0, 1, 2, 3, 5, 6, 7, 4]
    with pytest.raises(ConfigError, match="no such step"):
        editing.path_of(spec, 5)
