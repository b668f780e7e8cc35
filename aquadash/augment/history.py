"""The states of a pipeline that is being built, for undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aquadash.augment.editing import with_ids
from aquadash.augment.saved_pipelines import Draft
from aquadash.augment.spec import PipelineSpec

#: States that are kept to go back to.
MAX_STATES = 100

#: Changes of one setting within so many seconds are undone together, because a dragged slider reports every position.
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
    #: The next id for a new step; ids are never reused.
    unused: int = 0
    #: The tag of the last change; None if the next change is undone separately.
    tag: str | None = None
    #: The time of the last change, in seconds.
    changed_at: float = 0.0

    @classmethod
    def start(cls, spec: PipelineSpec, *, base: str, version: str) -> History:
        """Return a history of one state."""
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
        """Add a state, in place of the last one if that has the same ``tag`` and is less than two seconds old."""
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
        """Go back one state; the first one stays."""
        if not self.past:
            return self
        return replace(self, present=self.past[-1], past=self.past[:-1], future=(*self.future, self.present), tag=None)

    def redo(self) -> History:
        """Repeat the state that was undone last, if there is one."""
        if not self.future:
            return self
        return replace(
            self, present=self.future[-1], past=(*self.past, self.present), future=self.future[:-1], tag=None
        )
