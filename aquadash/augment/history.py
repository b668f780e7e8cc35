"""The states of a pipeline that is being built, for undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aquadash.augment.editing import with_ids
from aquadash.augment.saved_pipelines import Draft
from aquadash.augment.spec import PipelineSpec

#: States that are kept to go back to.
MAX_STATES = 100

#: Changes of the same setting that follow each other within so many seconds are undone together: a slider that is
#: dragged reports every place it comes to.
TOGETHER_SECONDS = 2.0


@dataclass(frozen=True)
class History:
    """The states of a pipeline that is being built. Start one with :meth:`start`."""

    #: The state to show.
    present: Draft
    #: Earlier states, the oldest first.
    past: tuple[Draft, ...] = ()
    #: States that were undone, the next to redo last.
    future: tuple[Draft, ...] = ()
    #: The next id for a new step; ids are never given twice.
    unused: int = 0
    #: The tag of the last change; None if the next change is undone by itself.
    tag: str | None = None
    #: When that was, in seconds.
    changed_at: float = 0.0

    @classmethod
    def start(cls, spec: PipelineSpec, *, base: str, version: str) -> History:
        """A history of one state."""
        spec, unused = with_ids(spec, 0)
        return cls(Draft(spec, base, version), unused=unused)

    def record(
        self,
        spec: PipelineSpec,
        *,
        base: str | None = None,
        version: str | None = None,
        tag: str | None = None,
        now: float = 0.0,
    ) -> History:
        """Add a state; one with the ``tag`` of the last state, soon after it, replaces that one."""
        spec, unused = with_ids(spec, self.unused)
        before = self.present
        state = Draft(spec, before.base if base is None else base, before.version if version is None else version)
        together = tag is not None and tag == self.tag and now - self.changed_at < TOGETHER_SECONDS
        past = self.past if together else (*self.past, before)[-MAX_STATES:]
        return History(state, past, (), unused, tag, now)

    def changed(self, change: Callable[[Draft], Draft]) -> History:
        """Return the same history with every state changed."""
        return replace(
            self,
            present=change(self.present),
            past=tuple(map(change, self.past)),
            future=tuple(map(change, self.future)),
        )

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
