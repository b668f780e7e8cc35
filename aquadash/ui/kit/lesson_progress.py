"""The visitor's progress in the lesson, by the id in the address or the session."""

import streamlit as st

from aquadash.pages import ME
from aquadash.ui.kit import address
from aquadash.ui.kit.address import Codec
from aquadash.walkthrough import progress


def visitor_id() -> str:
    """Return the visitor's id from the address or the session; empty before the first answer."""
    codec = Codec[str]("the 16 letters and digits of an earlier visit", _parse, str, str)
    return address.sync(ME, codec, default=st.session_state.get(ME, ""), omitted="")


def _parse(text: str) -> str:
    if not progress.is_id(text):
        raise ValueError(text)
    return text


def record(lesson: str, *, solved: bool) -> None:
    """Store an answer; the first one creates the visitor's id."""
    me = visitor_id() or progress.new_id()
    progress.note(me, lesson, solved=solved)
    address.assign(ME, me)


def read() -> progress.LessonProgress:
    """Return the visitor's progress."""
    return progress.read(visitor_id())
