"""Draws the table of runs again when something of it has changed, whoever changed it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from aquadash.runs.types import Run
from aquadash.ui import shell
from aquadash.ui.lab import lab

#: Seconds between two looks: with the age of what is looked at, a change shows within two seconds.
_TICK_SECONDS = 1.2
#: Curves of running runs grow all the time; the table follows them at this distance.
_GROWTH_SECONDS = 5.0
_DRAWN = "compare:drawn"


def watch(runs: Sequence[Run]) -> None:
    """Look at the store from now on, and draw the page again when these runs are no longer what it holds."""
    st.session_state[_DRAWN] = (signature(runs), growth(runs), time.monotonic())
    _look()


def signature(runs: Sequence[Run]) -> int:
    """A number that changes with whatever the table shows of the runs, but for the growth of curves."""
    return hash(
        tuple(
            (
                run.run_id, run.name, run.status, run.tags, run.note, run.pinned, run.pinned_by_owner,
                run.archived, run.hidden, run.ended_at,
                repr(run.metrics),  # as text: a loss that is no number differs from itself
            )
            for run in runs
        )
    )  # fmt: skip


def growth(runs: Sequence[Run]) -> int:
    """A number that changes as curves grow."""
    return hash(repr([run.curve for run in runs if not run.status.ended]))


@shell.live(_TICK_SECONDS)
def _look() -> None:
    drawn = st.session_state.get(_DRAWN)
    if drawn is None:
        return
    present, length = _numbers(lab().runs.all())
    changed = present != drawn[0]
    grown = length != drawn[1] and time.monotonic() - drawn[2] > _GROWTH_SECONDS
    if changed or grown:
        st.rerun()


#: The last reading of the store that was looked at, and its numbers: the same for every session.
_last: tuple[tuple[Run, ...], tuple[int, int]] | None = None


def _numbers(runs: tuple[Run, ...]) -> tuple[int, int]:
    """:func:`signature` and :func:`growth` of a reading, worked out once for all who look at it."""
    global _last
    kept = _last
    if kept is None or kept[0] is not runs:
        kept = _last = (runs, (signature(runs), growth(runs)))
    return kept[1]
