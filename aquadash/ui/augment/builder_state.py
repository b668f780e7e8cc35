"""The pipeline that is being built: its history in the session, and a person's draft, which is saved with each change.

The address holds the name of the pipeline that was started from, ``?pipeline=``. It follows the history, and choosing
another pipeline becomes a step of the history, so that undo brings back what that has taken the place of.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from aquadash.augment import PIPELINES, Library, PipelineSpec, describe
from aquadash.augment.history import History, State
from aquadash.augment.saved_pipelines import Draft, version_of
from aquadash.errors import ConfigError
from aquadash.ui import address, bound, shell
from aquadash.ui.lab import lab

#: The pipeline that a first visitor sees, and the base of one that was started from nothing.
DEFAULT, EMPTY = "notebook", "none"

MAX_SUMMARY_CHARACTERS = 500

_HISTORY = "studio:history"
_OPEN = "studio:open"


def restore(library: Library) -> History:
    """Go on where the session or the person's draft was left, or with the pipeline that the address asks for.

    Call it before anything of the builder is drawn.
    """
    held: History | None = st.session_state.get(_HISTORY)
    asks = "pipeline" in st.session_state or "pipeline" in st.query_params
    if held is None and (draft := lab().pipelines.draft()) is not None:
        held = History.start(draft.spec, base=draft.base, version=draft.version)
        held = _without_deleted(held, library)
        asks = "pipeline" in st.query_params
    elif held is not None:
        gone = held.present.base not in library.pipelines
        held = _without_deleted(held, library)
        asks = asks and not gone
    if held is not None and not asks:
        address.keep("pipeline", held.present.base)
    base = bound.restore("pipeline", bound.one_of(library.pipelines), default=DEFAULT)
    chosen = library.pipelines[base]
    version = version_of(chosen)
    if held is None:
        held = History.start(chosen, base=base, version=version)
    elif held.present.base != base or version_of(held.present.spec) == held.present.version != version:
        # The menu or a link chose another pipeline, or another session saved a version over one that is unchanged here.
        held = held.record(chosen, base=base, version=version)
    st.session_state[_HISTORY] = held
    address.record("pipeline", base, default=DEFAULT)
    return held


def history() -> History:
    """What has been done so far."""
    held: History = st.session_state[_HISTORY]
    return held


def changed() -> bool:
    """Whether the steps differ from those of the pipeline that they were started from."""
    state = history().present
    base = lab().pipelines.all().pipelines.get(state.base)
    return base is None or base.branches != state.spec.branches


def saved_base() -> PipelineSpec:
    """The saved pipeline that this one was started from."""
    state = history().present
    base = lab().pipelines.all().pipelines.get(state.base)
    if base is None or version_of(base) != state.version:
        raise ConfigError(
            "This pipeline was saved, renamed or deleted elsewhere meanwhile. “Save as” keeps your changes."
        )
    return base


def summary_of(spec: PipelineSpec) -> str:
    """A sentence on what a pipeline does, for one that has none of its own any more."""
    lines = [line.strip().removesuffix(":") for branch in spec.branches for line in describe(branch) if line[0] != " "]
    text = "; ".join(dict.fromkeys(lines))
    return text if len(text) <= MAX_SUMMARY_CHARACTERS else text[: MAX_SUMMARY_CHARACTERS - 4].rstrip() + " ..."


def summary_now(spec: PipelineSpec) -> str:
    """The summary to show and keep: what a person wrote stays, a built-in pipeline's is only for its own steps."""
    stale = any(each.summary == spec.summary and each.branches != spec.branches for each in PIPELINES.values())
    return summary_of(spec) if stale or not spec.summary else spec.summary


def edit(change: Callable[[PipelineSpec], PipelineSpec], *, tag: str | None = None) -> bool:
    """Change the pipeline from a control's callback; what cannot be done is said."""
    before = history()
    with shell.guard():
        now = before.present.spec
        spec = change(now)
        if now.summary == summary_of(now):
            # No person wrote this summary: it follows the steps.
            spec = replace(spec, summary=summary_of(spec))
        if spec != now:
            _go(before.record(spec, tag=tag, now=time.monotonic()))
        return True
    return False


def load(spec: PipelineSpec, *, base: str) -> None:
    """Go on with another pipeline, from a control's callback; undo brings the present one back."""
    now = lab().pipelines.all().pipelines.get(base)
    version = version_of(now) if now else ""
    held = history()
    shown = held.present
    if shown.base != base or shown.spec.branches != spec.branches:
        _go(held.record(spec, base=base, version=version))
    else:
        # A save adds no step to undo. Earlier states of this session may be saved over the version just written.
        old = shown.version
        held = held.changed(
            lambda state: replace(state, version=version) if (state.base, state.version) == (base, old) else state
        )
        summary = replace(held.present, spec=replace(shown.spec, summary=spec.summary))
        _go(replace(held, present=summary, tag=None))
    st.session_state.pop("branch", None)


def renamed(saved: PipelineSpec) -> None:
    """Go on with the pipeline that this one was started from under its new name; undo leads back under that, too."""
    old = history().present.base

    def rename(state: State) -> State:
        if state.base != old:
            return state
        return replace(state, base=saved.name, spec=replace(state.spec, name=saved.name, title=saved.title))

    _go(history().changed(rename))


def choose() -> None:
    """After another pipeline was chosen in the menu: its first version that changes images comes into view."""
    st.session_state.pop("branch", None)
    address.put("branch", None)


def discard() -> None:
    """Go back to the pipeline that it was started from."""
    base, pipelines = history().present.base, lab().pipelines.all().pipelines
    load(pipelines.get(base, pipelines[EMPTY]), base=base)


def undo() -> None:
    """Take the last change back."""
    _go(history().undo())


def redo() -> None:
    """Make the change again that was taken back last."""
    _go(history().redo())


def is_open(step_id: int | None) -> bool:
    """Whether the card of the step with that id is unfolded."""
    return step_id in st.session_state.get(_OPEN, ())


def fold(step_id: int | None) -> None:
    """Unfold a card, or fold it."""
    st.session_state[_OPEN] = set(st.session_state.get(_OPEN, ())) ^ {step_id}


def unfold(step_id: int | None) -> None:
    """Unfold a card."""
    st.session_state[_OPEN] = {*st.session_state.get(_OPEN, ()), step_id}


def _go(new: History) -> None:
    """Show another state, and keep it as the person's draft while it is changed."""
    library = lab().pipelines.all()
    new = _without_deleted(new, library)
    state = new.present
    if version_of(state.spec) == state.version != version_of(library.pipelines[state.base]):
        # Undo has brought back a version that somebody has saved another over.
        new = replace(new, present=_alone(state))
    st.session_state[_HISTORY] = new
    st.session_state["pipeline"] = new.present.base
    state = new.present
    with shell.guard():
        lab().pipelines.keep_draft(Draft(state.spec, state.base, state.version) if changed() else None)


def _without_deleted(held: History, library: Library) -> History:
    """Let a pipeline whose base is not here, or not any more, stand for itself."""
    return held if held.present.base in library.pipelines else replace(held, present=_alone(held.present))


def _alone(state: State) -> State:
    """The same pipeline as if it had been started from nothing."""
    return replace(state, base=EMPTY, version=version_of(PIPELINES[EMPTY]))
