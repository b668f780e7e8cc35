"""Start a run from another one's settings: a link that carries them to the Train page, and what becomes of it there.

The address says ``?clone=RUN_ID`` and, where settings are to differ, ``&set=training.epochs=20;model.filters=16,32``.
Without a run the changes are made to what the form holds.
It is taken over once: what the student changes in the form afterwards stays, also when the page is drawn again or the
browser goes back to it. A link to what was taken over last differs from it by ``&again=1``, so that a click fills the
form; what the form itself writes has ``&again=0``, which no link has.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from aquadash import augment
from aquadash.config import SETTINGS, RunConfig, flatten, parse_assignments, with_values
from aquadash.errors import AquaDashError, RunError, StorageError, UnknownNameError
from aquadash.runs.types import Run, RunStatus
from aquadash.ui import hyperparameters as fields
from aquadash.ui.address import LATE_SECONDS, put
from aquadash.ui.lab import lab
from aquadash.ui.text import plain
from aquadash.ui.train import form_state

_RUN = "clone"
_CHANGES = "set"
_AGAIN = "again"

_TAKEN = "train:clone-taken"
_LEFT = "train:clone-left"
_TROUBLES = "train:clone-troubles"

#: Settings whose values are names in tables that can lose a line: a data set may be gone. A pipeline, too, but a run
#: carries its own.
_NAMED = ("data.source", "model.name")


def link(
    run_id: str,
    *,
    changes: Mapping[str, Any] | None = None,
    label: str = "Clone",
    icon: str | None = ":material/content_copy:",
    help: str | None = "Fills the Train form with this run's settings, to start another one like it.",
) -> None:
    """Draw a link to the Train page that fills its form with a run's settings.

    Args:
        changes: What is to be different, by dotted names.
    """
    st.page_link("pages/train.py", label=label, icon=icon, help=help, query_params=address(run_id, changes))


def address(run_id: str | None, changes: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The query of such a link; without a run that of one which only changes the form."""
    texts = (f"{name}={_text(value)}" for name, value in (changes or {}).items())
    query = ({_RUN: run_id} if run_id else {}) | ({_CHANGES: ";".join(texts)} if changes else {})
    return query | {_AGAIN: "1"} if query == st.session_state.get(_TAKEN) else query


def take() -> bool:
    """Fill the form from the address, if it asks for that and has not been taken over yet; True if it did."""
    asked = _asked()
    if asked == st.session_state.get(_TAKEN):
        return False
    left, at = st.session_state.get(_LEFT, (None, 0.0))
    if asked == left and time.monotonic() - at < LATE_SECONDS:
        # The browser sent it before it heard of what is recorded now.
        record(st.session_state[_TAKEN].get(_RUN))
        return False
    st.session_state[_TROUBLES] = []
    if not asked:
        # Whoever goes back from here has not asked anew.
        return False
    st.session_state[_TAKEN] = asked
    run_id, changes = asked.get(_RUN), asked.get(_CHANGES, "")
    if run_id is None:
        if not changes:
            return False
        form_state.put(flatten(_changed(form_state.config(), changes)))
        if (origin := form_state.origin()).run:
            # The changes are made to a clone: a reload begins with that, too.
            asked[_RUN] = origin.name
            put(_RUN, origin.name)
        return True
    try:
        run = lab().runs.get(run_id)
        if run.status is RunStatus.UNREADABLE:
            raise StorageError(run.message)
    except (UnknownNameError, RunError):
        _trouble(
            f"There is no run “{run_id[:40]}” to clone; it may have been deleted, or the link comes from another "
            "computer. The form is as it was."
        )
        return False
    except AquaDashError as error:
        _trouble(f"{error} The form is as it was.")
        return False
    usable = _usable(run)
    form_state.fill(form_state.Origin(run.run_id, run.name, usable, run=True), _changed(usable, changes))
    if not run.deleted and "run" not in st.query_params:
        # Beside the form stands the run that it comes from.
        put("run", run.run_id)
    return True


def show_troubles() -> None:
    """Say what of the address could not be taken over."""
    for text in st.session_state.get(_TROUBLES, ()):
        st.warning(plain(text), icon="🧭")


def record(run_id: str | None) -> None:
    """Write into the address which run the form was filled from, without filling it again; None for no run."""
    # The links beside the form are not drawn anew with it: none of them may be to what is held for taken over.
    asked = {} if run_id is None else {_RUN: run_id, _AGAIN: "0"}
    if (left := _asked()) != asked:
        st.session_state[_LEFT] = left, time.monotonic()
    leave()
    for name, text in asked.items():
        put(name, text)
    st.session_state[_TAKEN] = asked


def leave() -> None:
    """Take out of the address what the form was filled from: going back to it does not fill the form again."""
    for name in (_RUN, _CHANGES, _AGAIN):
        put(name, None)
    st.session_state[_TROUBLES] = []


def _asked() -> dict[str, str]:
    return {name: st.query_params[name] for name in (_RUN, _CHANGES, _AGAIN) if name in st.query_params}


def _usable(run: Run) -> RunConfig:
    """The run's settings, with those of the form for names that the visitor cannot use here."""
    wanted = flatten(run.config)
    held, _ = form_state.values()
    lost = {name: held[name] for name in _NAMED if wanted[name] not in fields.choices(name)}
    try:
        augment.plan(run.config.augmentation)
    except AquaDashError:
        lost["augmentation.pipeline"] = held["augmentation.pipeline"]
    for name, instead in lost.items():
        _trouble(
            f"{fields.label(name)}: “{wanted[name]}”, which this run used, cannot be used here. The form keeps "
            f"“{fields.value_text(name, instead)}”."
        )
    return with_values(run.config, lost)


def _changed(config: RunConfig, text: str) -> RunConfig:
    """The config with the address's changes, one by one; those that are not possible are told and left out."""
    # No link has more than one for each setting.
    for assignment in list(filter(str.strip, text.split(";")))[: len(SETTINGS)]:
        try:
            changed = with_values(config, parse_assignments([assignment]))
            form_state.check(changed)
            config = changed
        except AquaDashError as error:
            # Without the list of everything that could have been meant.
            reason = str(error).partition(" Known: ")[0]
            _trouble(f"The address asks for “{assignment.strip()[:60]}”, which is left out. {reason}")
    return config


def _trouble(text: str) -> None:
    st.session_state[_TROUBLES].append(text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else fields.field_text(value).replace(" ", "")
