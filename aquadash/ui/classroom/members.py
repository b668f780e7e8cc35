"""The people of the class, for the teacher."""

from __future__ import annotations

import time
from collections import Counter

import streamlit as st

from aquadash import people
from aquadash.classroom.codes import spaced
from aquadash.classroom.member_types import Member
from aquadash.classroom.sessions import AWAY_SECONDS, RETURN_SECONDS, open_sessions
from aquadash.people import Person, Role
from aquadash.search.makers import makers
from aquadash.ui import cache, shell
from aquadash.ui.classroom import accounts
from aquadash.ui.text import count, duration, moment, plain

_TICK_SECONDS = 5.0
_RETURN = "class:return-code"
#: Rows of people who are not here. A class of last year is none of today's business.
_MOST_AWAY = 60


def show() -> None:
    """Draw everybody who has joined, drawn again by itself."""
    shell.live(_TICK_SECONDS)(_people)()


def _people() -> None:
    found = open_sessions().people()
    here = [member for member in found if member.sessions]
    students = sum(member.person.role is Role.STUDENT for member in found)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{count(students, 'student')}**; {count(len(here), 'person', 'people')} with a session now.",
            width="content",
        )
        st.button(
            "Clear unused names", key="clear-names", icon=":material/person_remove:", type="tertiary", on_click=_clear,
            disabled=not students,
            help="Of students who have made nothing (no run, search, data set or pipeline) and have not been here for "
            f"{AWAY_SECONDS / 60:.0f} minutes. Their names are free again, and they can join again.",
        )  # fmt: skip
    returning = st.session_state.get(_RETURN)
    if returning:
        name, code = returning
        with st.container(border=True):
            st.markdown(
                f"**{plain(name)}** comes back by typing that name and this code within "
                f"{RETURN_SECONDS / 60:.0f} minutes, once:"
            )
            st.code(spaced(code), language=None)
            st.button("Done", key="return-done", on_click=_forget_code)
    runs = Counter(run.owner for run in cache.runs()) if cache.store_ready() else Counter[str]()
    for member in here:
        _row(member, runs[member.person.person_id])
    away = [member for member in found if not member.sessions]
    if away:
        with st.expander(f"Without a session: {len(away)}", icon="🚪", key="people-away"):
            for member in away[:_MOST_AWAY]:
                _row(member, runs[member.person.person_id])
            if len(away) > _MOST_AWAY:
                st.caption(f"and {len(away) - _MOST_AWAY} more; `classroom people` lists all")
    if not found:
        st.caption("Nobody has joined yet.")


def _row(member: Member, runs: int) -> None:
    person = member.person
    me = people.current().person_id == person.person_id
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"person-{person.person_id}"):
        st.markdown(f"{'🧑‍🏫' if person.leads else '🧑‍🎓'} **{plain(person.name)}**", width="content")
        quiet = time.time() - member.seen_at
        seen = "here" if member.sessions and quiet < 60 else f"last here {duration(quiet)} ago"
        st.caption(
            f"{count(runs, 'run')} · joined {moment(member.joined_at)} · {seen if member.sessions else 'no session'}",
            width="content",
        )
        if me:
            return
        with_accounts = accounts.logs_in()
        if member.sessions:
            st.button(
                "Send out", key=f"remove-{person.person_id}", icon=":material/logout:", on_click=_remove,
                args=(person,),
                help="Ends their session everywhere. Their runs stay. "
                + ("They can log in again." if with_accounts else "With the code they can join under another name."),
            )  # fmt: skip
        if with_accounts:
            return
        st.button(
            "Code to come back", key=f"return-{person.person_id}", icon=":material/key:", type="tertiary",
            on_click=_return, args=(person,),
            help="For somebody who has left, was sent out or sits at another computer, and is to have this name again.",
        )  # fmt: skip


def _remove(person: Person) -> None:
    with shell.guard():
        open_sessions().remove(person.person_id)


def _clear() -> None:
    with shell.guard():
        st.toast(f"Unused names cleared: {len(open_sessions().clear(makers()))}", icon="✅")


def _return(person: Person) -> None:
    with shell.guard():
        st.session_state[_RETURN] = (person.name, open_sessions().return_code(person.person_id))


def _forget_code() -> None:
    st.session_state.pop(_RETURN, None)
