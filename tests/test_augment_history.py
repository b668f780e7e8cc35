"""Undo and redo, and which step is which over all changes."""

from __future__ import annotations

from aquadash.augment import Branch, PipelineSpec, editing, op
from aquadash.augment.history import MAX_STATES, TOGETHER_SECONDS, History

GROUP = op("Sometimes", then_list=(op("GaussianBlur"), op("ChannelShuffle")))
SPEC = PipelineSpec("mine", "Mine", "", (Branch("One", (op("Fliplr"), GROUP, op("Sharpen"))),))
START = History.start(SPEC, base="none")


def numbers(history: History) -> dict[str, int]:
    """The number of each step by its name, which is unique here."""
    state = history.present
    return {editing.step_at(state.spec, path).name: number for path, number in state.numbers.items()}


def test_undo_and_redo_walk_through_all_states() -> None:
    specs = [SPEC]
    history = START
    for share in (0.1, 0.2, 0.3):
        specs.append(editing.set_probability(specs[-1], (0, 0), share))
        history = history.record(specs[-1])
    for spec in reversed(specs[:-1]):
        history = history.undo()
        assert history.present.spec is spec
    assert history.undo() is history
    for spec in specs[1:]:
        history = history.redo()
        assert history.present.spec is spec
    assert history.redo() is history
    assert history.undo().record(SPEC).future == ()


def test_the_states_of_one_dragged_slider_are_undone_together() -> None:
    def spec(share: float) -> PipelineSpec:
        return editing.set_probability(SPEC, (0, 0), share)

    history = START
    for tenth in range(5):
        history = history.record(spec(tenth / 10), tag="probability 0", now=100 + tenth)
    assert len(history.past) == 1 and history.undo().present.spec is SPEC
    later = history.record(spec(0.9), tag="probability 0", now=104 + TOGETHER_SECONDS)
    assert len(later.past) == 2
    assert len(history.record(spec(0.9), tag="another", now=104).past) == 2
    assert len(history.record(spec(0.9), now=104).record(spec(0.8), now=104).past) == 3
    assert len(history.undo().record(spec(0.9), tag="probability 0", now=104).past) == 1


def test_the_base_is_undone_with_the_rest() -> None:
    other = START.record(SPEC, base="notebook")
    assert other.present.base == "notebook" and other.undo().present.base == "none"


def test_memory_is_bounded() -> None:
    history = START
    for _ in range(MAX_STATES + 20):
        history = history.record(SPEC)
    assert len(history.past) == MAX_STATES


def test_a_step_keeps_its_number_when_it_or_another_changes_or_moves() -> None:
    before = numbers(START)
    assert sorted(before.values()) == [0, 1, 2, 3, 4]
    inside = (0, 1, "then_list")
    for changed in (
        editing.set_probability(SPEC, (*inside, 0), 0.3),
        editing.set_enabled(SPEC, (0, 1), False),
        editing.move(SPEC, (0, 1), 0),
        editing.move(SPEC, (*inside, 0), 1),
        editing.relocate(SPEC, (*inside, 0), (0,)),
        editing.relocate(SPEC, (0, 0), inside),
    ):
        assert numbers(START.record(changed)) == before


def test_a_new_step_gets_a_new_number_that_is_never_given_again() -> None:
    added = START.record(editing.insert(SPEC, (0,), 0, op("Add")))
    assert numbers(added) == {**numbers(START), "Add": 5}
    again = added.undo().record(editing.insert(SPEC, (0,), 1, op("Multiply")))
    assert numbers(again) == {**numbers(START), "Multiply": 6}
    double = START.record(editing.duplicate(SPEC, (0, 1)))
    assert len(set(double.present.numbers.values())) == len(double.present.numbers) == 8
