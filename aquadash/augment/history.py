"""What was done to a pipeline and can be undone, and which step is which over all changes.

A step has no identity of its own: it is a value at a path, and both change. A page needs one, so that an opened card
stays open when it is moved. Each state therefore carries a number for each of its steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aquadash.augment.editing import Path, paths
from aquadash.augment.spec import Operator, PipelineSpec

#: States that are kept to go back to.
MAX_STATES = 100

#: Changes of the same thing that follow each other within so many seconds are undone together: a slider that is
#: dragged reports every place it comes to.
TOGETHER_SECONDS = 2.0


@dataclass(frozen=True)
class State:
    """A pipeline at a moment.

    Attributes:
        spec: The pipeline.
        base: The name of the pipeline that it was started from.
        numbers: Of every step, by its path; a step keeps its number when it is changed or moved.
    """

    spec: PipelineSpec
    base: str
    numbers: Mapping[Path, int]


@dataclass(frozen=True)
class History:
    """The states of a pipeline that is being built. Start one with :meth:`start`.

    Attributes:
        present: The state to show.
        past: Earlier states, the oldest first.
        future: States that were undone, the next to redo last.
        unused: The next number for a new step; numbers are never given twice.
        tag: What the last change was of; None if the next one stands for itself.
        changed_at: When that was, in seconds.
    """

    present: State
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()
    unused: int = 0
    tag: str | None = None
    changed_at: float = 0.0

    @classmethod
    def start(cls, spec: PipelineSpec, *, base: str) -> History:
        """A history of one state."""
        numbers = {path: number for number, (path, _) in enumerate(paths(spec))}
        return cls(State(spec, base, numbers), unused=len(numbers))

    def record(
        self, spec: PipelineSpec, *, base: str | None = None, tag: str | None = None, now: float = 0.0
    ) -> History:
        """Go on to another pipeline; what had been undone can no longer be redone.

        Args:
            spec: The pipeline now.
            base: The pipeline that it was started from; None for the same as before.
            tag: What is changed, such as a setting of a step; a change with the tag of the last one, made soon after
                it, takes its place.
            now: Seconds on a clock that never goes back.
        """
        numbers, unused = _carried(self.present, spec, self.unused)
        state = State(spec, self.present.base if base is None else base, numbers)
        together = tag is not None and tag == self.tag and now - self.changed_at < TOGETHER_SECONDS
        past = self.past if together else (*self.past, self.present)[-MAX_STATES:]
        return History(state, past, (), unused, tag, now)

    def rebased(self, old: str, new: str, *, title: str = "") -> History:
        """The same states; those that were started from one pipeline count as started from another.

        Args:
            old: The name of the one.
            new: The name of the other.
            title: Of the other where it is the one renamed: what was made of it is called so, too.
        """

        def moved(state: State) -> State:
            if state.base != old:
                return state
            return replace(state, base=new, spec=replace(state.spec, name=new, title=title) if title else state.spec)

        present, *others = map(moved, (self.present, *self.past, *self.future))
        length = len(self.past)
        return replace(self, present=present, past=tuple(others[:length]), future=tuple(others[length:]))

    def undo(self) -> History:
        """The state before; the same history if there is none."""
        if not self.past:
            return self
        return replace(self, present=self.past[-1], past=self.past[:-1], future=(*self.future, self.present), tag=None)

    def redo(self) -> History:
        """The state that was undone last; the same history if there is none."""
        if not self.future:
            return self
        return replace(
            self, present=self.future[-1], past=(*self.past, self.present), future=self.future[:-1], tag=None
        )


def _carried(old: State, spec: PipelineSpec, unused: int) -> tuple[dict[Path, int], int]:
    """The numbers of a changed pipeline's steps, and the next unused one.

    A change leaves every step that it does not concern the same object, wherever that stands afterwards. What is left
    is the changed step and those around it, which stand where they stood or were moved by one.
    """
    same: dict[int, list[int]] = {}
    for path, step in paths(old.spec):
        same.setdefault(id(step), []).append(old.numbers[path])
    numbers: dict[Path, int] = {}
    waiting: list[tuple[Path, Operator]] = []
    for path, step in paths(spec):
        if found := same.get(id(step)):
            numbers[path] = found.pop(0)
        else:
            waiting.append((path, step))
    left = {path: step.name for path, step in paths(old.spec) if old.numbers[path] not in set(numbers.values())}
    for path, step in waiting:
        former = (
            path if left.get(path) == step.name else next((p for p, name in left.items() if name == step.name), None)
        )
        if former is not None and len(former) == len(path):
            numbers[path] = old.numbers[former]
            del left[former]
        else:
            numbers[path] = unused
            unused += 1
    return numbers, unused
