"""How far the look at a large drop has come, and the button that stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import streamlit as st

from aquadash.ui.text import count, duration
from aquadash.ui.uploads import Upload

#: From so many pictures on there is a button to stop: fewer are done before it could be found.
WORTH_STOPPING = 5

#: Pictures that were looked at before the time for the rest is estimated from them: they come a few at a time.
_LEAST_FRESH = 8

_STOPPED = "predict:stopped"
_DROP = "predict:drop"


def stopped(uploads: Sequence[Upload]) -> bool:
    """Whether somebody has stopped the work on these files; other files are another drop."""
    drop = hash(tuple(upload.file_id for upload in uploads))
    if st.session_state.get(_DROP) != drop:
        st.session_state[_DROP] = drop
        st.session_state[_STOPPED] = False
    return bool(st.session_state[_STOPPED])


def stop() -> None:
    """Leave the rest of the drop alone: the callback of the button."""
    st.session_state[_STOPPED] = True


def go_on() -> None:
    """Take the work up again: the callback of the other button."""
    st.session_state[_STOPPED] = False


def text(done: int, total: int, *, fresh: int, seconds: float) -> str:
    """How far it has come, in words.

    Args:
        done: Pictures that have been looked at.
        total: All of them.
        fresh: How many of those that are done came within ``seconds``.
        seconds: How long that took.
    """
    told = f"{done:,} of {count(total, 'picture')} looked at"
    if fresh >= _LEAST_FRESH and done < total:
        told += f" · about {duration(seconds / fresh * (total - done))} to go"
    return told


class Progress:
    """A bar with words and a button, drawn where it is made; nothing while there is nothing to do."""

    def __init__(self, done: int, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._done, self._total, self._fresh = done, total, 0
        self._clock, self._began = clock, clock()
        self._bar, self._button = st.empty(), st.empty()
        if total - done >= WORTH_STOPPING:
            self._tell()
            self._button.button("Stop", icon=":material/stop_circle:", key="stop-predicting", on_click=stop)

    def step(self) -> None:
        """One more picture is done."""
        self._done += 1
        self._fresh += 1
        self._tell()

    def end(self) -> None:
        """Everything is done: take bar and button away."""
        self._bar.empty()
        self._button.empty()

    def _tell(self) -> None:
        told = text(self._done, self._total, fresh=self._fresh, seconds=self._clock() - self._began)
        self._bar.progress(min(self._done / self._total, 1.0), text=told)
