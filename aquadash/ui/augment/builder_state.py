"""The pipeline that is being built: its history in the session, and a person's draft, which is saved with each change.

The address holds the base, the pipeline that was started from: ``?pipeline=``. It follows the history, and choosing
another pipeline is a step of the history, which can be undone.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from aquadash.augment import PIPELINES, Library, PipelineSpec, describe
from aquadash.augment.editing import Group
from aquadash.augment.history import History
from aquadash.augment.saved_pipelines import Draft, version_of
from aquadash.errors import ConfigError
from aquadash.ui.kit import address, bound, shell
from aquadash.ui.kit.lab import lab

#: The pipeline of a new visitor, and the base of a pipeline that was started from nothing.
DEFAULT, EMPTY = "notebook", "none"

MAX_SUMMARY_CHARACTERS = 500

_HISTORY = "studio:history"
_OPEN = "studio:open"


def restore(library: Library) -> History:
    """Return the history of the session, of the draft, or of the pipeline in the address; call it first."""
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
        address.assign("pipeline", held.present.base)
    base = address.sync("pipeline", bound.one_of(library.pipelines), default=DEFAULT)
    chosen = library.pipelines[base]
    version = version_of(chosen)
    if held is None:
        held = History.start(chosen, base=base, version=version)
    elif held.present.base != base or version_of(held.present.spec) == held.present.version != version:
        # The student chose another pipeline, or another session saved this one, which has no changes here.
        held = held.record(chosen, base=base, version=version)
    st.session_state[_HISTORY] = held
    return held


def history() -> History:
    """Return the history."""
    held: History = st.session_state[_HISTORY]
    return held


def changed() -> bool:
    """Return whether the steps differ from the base's."""
    state = history().present
    base = lab().pipelines.all().pipelines.get(state.base)
    return base is None or base.branches != state.spec.branches


def saved_base() -> PipelineSpec:
    """Return the base; refuse one that another session has changed."""
    state = history().present
    base = lab().pipelines.all().pipelines.get(state.base)
    if base is None or version_of(base) != state.version:
        raise ConfigError("This pipeline was changed or deleted in another window. Use “Save as” to keep your changes.")
    return base


def summary_of(spec: PipelineSpec) -> str:
    """Return a generated summary of a pipeline."""
    lines = [line.strip().removesuffix(":") for branch in spec.branches for line in describe(branch) if line[0] != " "]
    text = "; ".join(dict.fromkeys(lines))
    return text if len(text) <= MAX_SUMMARY_CHARACTERS else text[: MAX_SUMMARY_CHARACTERS - 4].rstrip() + " ..."


def summary_now(spec: PipelineSpec) -> str:
    """Return the summary; generate it if it is empty or belongs to a built-in pipeline with other steps."""
    stale = any(each.summary == spec.summary and each.branches != spec.branches for each in PIPELINES.values())
    return summary_of(spec) if stale or not spec.summary else spec.summary


def edit(change: Callable[[PipelineSpec], PipelineSpec], *, tag: str | None = None) -> bool:
    """Change the pipeline in a callback; draw why if it cannot be changed."""
    before = history()
    with shell.guard():
        now = before.present.spec
        spec = change(now)
        if now.summary == summary_of(now):
            # The summary was generated: generate it again.
            spec = replace(spec, summary=summary_of(spec))
        if spec != now:
            _go(before.record(spec, tag=tag, now=time.monotonic()))
        return True
    return False


def load(spec: PipelineSpec, *, base: str) -> None:
    """Continue with another pipeline in a callback; undo brings the present one back."""
    now = lab().pipelines.all().pipelines.get(base)
    version = version_of(now) if now else ""
    held = history()
    shown = held.present
    if shown.base != base or shown.spec.branches != spec.branches:
        _go(held.record(spec, base=base, version=version))
    else:
        # Undo skips a save. Earlier states get the new version, too, or :func:`saved_base` would refuse them.
        old = shown.version
        held = held.changed(
            lambda state: replace(state, version=version) if (state.base, state.version) == (base, old) else state
        )
        summary = replace(held.present, spec=replace(shown.spec, summary=spec.summary))
        _go(replace(held, present=summary, tag=None))
    st.session_state.pop("branch", None)


def renamed(saved: PipelineSpec) -> None:
    """Rename the base in all states of the history."""
    old = history().present.base

    def rename(state: Draft) -> Draft:
        if state.base != old:
            return state
        return replace(state, base=saved.name, spec=replace(state.spec, name=saved.name, title=saved.title))

    _go(history().changed(rename))


def discard() -> None:
    """Load the base again."""
    base, pipelines = history().present.base, lab().pipelines.all().pipelines
    load(pipelines.get(base, pipelines[EMPTY]), base=base)


def undo() -> None:
    """Undo the last change."""
    _go(history().undo())


def redo() -> None:
    """Redo the change that was undone last."""
    _go(history().redo())


def is_open(step_id: int | None) -> bool:
    """Return whether a step's card is unfolded."""
    return step_id in st.session_state.get(_OPEN, ())


def fold(step_id: int | None, group: Group) -> None:
    """Unfold a card and fold all others but those around it; fold one that is unfolded."""
    around = {step.id for step in group.around}
    st.session_state[_OPEN] = around if is_open(step_id) else {*around, step_id}


def _go(new: History) -> None:
    """Show another state, and store it as the person's draft if it has changes."""
    library = lab().pipelines.all()
    new = _without_deleted(new, library)
    state = new.present
    if version_of(state.spec) == state.version != version_of(library.pipelines[state.base]):
        # Undo brought back a version that another session has saved over.
        new = replace(new, present=_alone(state))
    st.session_state[_HISTORY] = new
    st.session_state["pipeline"] = new.present.base
    with shell.guard():
        lab().pipelines.keep_draft(new.present if changed() else None)


def _without_deleted(held: History, library: Library) -> History:
    """Return the history; a state whose base was deleted gets the empty one."""
    return held if held.present.base in library.pipelines else replace(held, present=_alone(held.present))


def _alone(state: Draft) -> Draft:
    """Return the state with the empty base."""
    return replace(state, base=EMPTY, version=version_of(PIPELINES[EMPTY]))
