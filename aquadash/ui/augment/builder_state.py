"""The pipeline that is being built: its history in the session, what differs from the saved one in the address.

The address holds the pipeline that was started from, ``?pipeline=``, and, while that is changed, the pipeline as it
is now, ``draft=``. Both follow the history, and what changes them from outside becomes a step of the history, so that
undo brings back what a link, another choice in the menu or an imported file has taken the place of. With the draft of a
saved pipeline goes a mark of what that was when the draft was started, ``of=``.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from aquadash.augment import PIPELINES, Library, PipelineSpec, describe
from aquadash.augment.editing import Path
from aquadash.augment.history import History
from aquadash.augment.reading import MAX_DRAFT_CHARACTERS, from_draft, to_draft
from aquadash.errors import AquaDashError, ConfigError
from aquadash.ui import address, shell
from aquadash.ui.lab import lab

#: What a first visitor sees, and what a pipeline without an origin counts as started from.
DEFAULT, EMPTY = "notebook", "none"

MAX_SUMMARY_CHARACTERS = 500

_HISTORY = address.beside("studio:history")
#: Marks of the pipelines that drafts were started from, by name, as they were then.
_STARTED = "studio:started"
_OPEN = "studio:open"
_DRAFT_TEXT = "studio:draft-text"


def restore(library: Library) -> History:
    """Take over what the address asks for, and write there what is shown; call before anything of the builder is drawn.

    Whoever sees a change can then rely on the address: a reload, or a click on Undo, comes with it.
    """
    held: History | None = st.session_state.get(_HISTORY)
    asked = st.query_params.get("pipeline")
    if held is not None and "pipeline" not in st.session_state and asked is None and "draft" not in st.query_params:
        # Somebody comes back from another page by its bare name: the work is where it was left.
        address.keep("pipeline", held.present.base)
        now = library.pipelines.get(held.present.base)
        # What somebody else has saved since is no change of ours.
        untouched = now and (held.present.spec == now or mark(held.present.spec) == started().get(held.present.base))
        address.keep("draft", None if untouched else held.present.spec)
    draft: PipelineSpec | None = address.restore(
        "draft", _decode, default=None, expected="a pipeline as a whole copied address has it"
    )
    if draft is not None and st.session_state.get("pipeline", asked) not in library.pipelines:
        # A draft of a pipeline that is not on this computer, or not any more, stands for itself.
        address.keep("pipeline", EMPTY)
    base = address.choice("pipeline", list(library.pipelines), default=DEFAULT)
    st.session_state.setdefault(_STARTED, {})
    of = st.query_params.get("of") if base in library.saved else None
    states = () if held is None else (held.present, *held.past, *held.future)
    # Back after this tab's own Save brings a draft of what is here; else the draft may be of another's version.
    theirs = (draft and of) and not any(
        one.base == base and (one.spec == draft or mark(one.spec) == of) for one in states
    )
    if draft is None or base not in started() or theirs:
        latest = mark(library.pipelines[base])
        # A reload, a link and Back know what their draft was started from.
        _start_from(base, latest if draft is None else of or latest)
        held = st.session_state.get(_HISTORY)
    wanted = draft or library.pipelines[base]
    if held is None:
        held = History.start(wanted, base=base)
    elif (held.present.base, held.present.spec) != (base, wanted):
        held = held.record(wanted, base=base)
    st.session_state[_HISTORY] = held
    address.record("pipeline", held.present.base, default=DEFAULT)
    text = _draft_text()
    address.record("draft", text if len(text) <= MAX_DRAFT_CHARACTERS else "", default="")
    address.record("of", started()[base] if draft is not None and base in library.saved else "", default="")
    return held


def history() -> History:
    """What has been done so far."""
    held: History = st.session_state[_HISTORY]
    return held


def changed() -> bool:
    """Whether the pipeline differs from the one that it was started from."""
    return st.session_state.get("draft") is not None


def mark(spec: PipelineSpec) -> str:
    """Tells a version of a pipeline from others, in few letters for the address."""
    return hashlib.sha256(spec.to_json().encode()).hexdigest()[:8]


def started() -> dict[str, str]:
    """Marks of the saved pipelines that drafts were started from, by name, to put one in when it is saved here."""
    found: dict[str, str] = st.session_state[_STARTED]
    return found


def saved_base() -> PipelineSpec:
    """The saved pipeline that this one was started from.

    Raises:
        ConfigError: It is not as it was then.
    """
    name = history().present.base
    base = lab().pipelines.all().pipelines.get(name)
    if base is None or mark(base) != started().get(name):
        raise ConfigError(
            "This pipeline was saved, renamed or deleted elsewhere meanwhile. “Save as” keeps your changes."
        )
    return base


def fits_the_address() -> bool:
    """Whether a reload of the page keeps the changes."""
    return len(_draft_text()) <= MAX_DRAFT_CHARACTERS


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
    """Change the pipeline from a control's callback; what cannot be done is said.

    Args:
        change: From the pipeline to the new one; raises ``AquaDashError`` if that is not possible.
        tag: What is changed, for changes that are undone together when they follow each other.

    Returns:
        Whether it was done.
    """
    before = history()
    with shell.guard():
        now = before.present.spec
        spec = change(now)
        if now.summary == summary_of(now):
            # Nobody wrote it: it follows the steps.
            spec = replace(spec, summary=summary_of(spec))
        if spec != now:
            _go(before.record(spec, tag=tag, now=time.monotonic()))
        return True
    return False


def load(spec: PipelineSpec, *, base: str) -> None:
    """Go on with another pipeline, from a control's callback; undo brings the present one back."""
    now = lab().pipelines.all().pipelines.get(base)
    _start_from(base, mark(now) if now else "")
    held = history()
    shown = held.present
    # What is shown already, as after a save, is no step to undo; a save may have written the summary anew.
    same = shown.base == base and replace(shown.spec, summary=spec.summary) == spec
    _go(replace(held, present=replace(shown, spec=spec), tag=None) if same else held.record(spec, base=base))
    st.session_state.pop("branch", None)


def renamed(saved: PipelineSpec) -> None:
    """Go on with the pipeline that this one was started from under its new name; undo leads back under that, too."""
    held, base = history(), history().present.base
    if base != saved.name:
        # What was made of a deleted one of that name stands for itself: a save would overwrite this one.
        held = held.rebased(saved.name, EMPTY)
    _go(held.rebased(base, saved.name, title=saved.title))


def choose() -> None:
    """After another pipeline was chosen in the menu: start from it as it is."""
    st.session_state["draft"] = None
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


def is_open(number: int) -> bool:
    """Whether the card of the step with that number is unfolded."""
    return number in st.session_state.get(_OPEN, ())


def fold(number: int) -> None:
    """Unfold a card, or fold it."""
    st.session_state[_OPEN] = set(st.session_state.get(_OPEN, ())) ^ {number}


def unfold_at(path: Path) -> None:
    """Unfold the card of the step that was just put there."""
    number = history().present.numbers[path]
    st.session_state[_OPEN] = {*st.session_state.get(_OPEN, ()), number}


def _start_from(base: str, version: str) -> None:
    if _HISTORY in st.session_state and started().get(base, version) != version:
        # What was made of another version stands for itself if undo brings it back: a save would overwrite this one.
        st.session_state[_HISTORY] = history().rebased(base, EMPTY)
    started()[base] = version


def _go(new: History) -> None:
    pipelines = lab().pipelines.all().pipelines
    state = new.present
    if state.base not in pipelines:
        state = replace(state, base=EMPTY)
        new = replace(new, present=state)
    st.session_state[_HISTORY] = new
    st.session_state["pipeline"] = state.base
    st.session_state["draft"] = None if state.spec == pipelines[state.base] else state.spec


def _decode(text: str) -> PipelineSpec:
    try:
        return from_draft(text)
    except AquaDashError as error:
        raise ValueError(text) from error


def _draft_text() -> str:
    """The changed pipeline as the address holds it, empty while there is no change; written once for each."""
    spec = st.session_state.get("draft")
    if spec is None:
        return ""
    held = st.session_state.get(_DRAFT_TEXT)
    if held is None or held[0] is not spec:
        held = (spec, to_draft(spec))
        st.session_state[_DRAFT_TEXT] = held
    text: str = held[1]
    return text
