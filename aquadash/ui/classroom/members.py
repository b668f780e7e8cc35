"""The people of the class, for the teacher."""

import time
from collections import Counter

import streamlit as st

from aquadash.classroom.invitation import rejoin_address
from aquadash.classroom.sessions import AWAY_SECONDS, REJOIN_SECONDS, Member
from aquadash.people import Person, Role
from aquadash.ui.classroom import invitation
from aquadash.ui.kit import inputs, shell
from aquadash.ui.kit.lab import lab, visitor
from aquadash.ui.kit.text import count, duration, moment, named, plain

_TICK_SECONDS = 5.0
_LINK = "class:rejoin-link"


@shell.live(_TICK_SECONDS)
def render_members() -> None:
    """Draw everybody who has joined, live."""
    shell.render_failure()
    members = lab().people.all()
    here = [member for member in members if member.sessions]
    students = sum(member.person.role is Role.STUDENT for member in members)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{count(students, 'student')}**; {count(len(here), 'person', 'people')} with a session now.",
            width="content",
        )
        icon = ":material/person_remove:"
        help = (
            "Removes students who have made nothing (no run, search, data set or pipeline) and have not been here for "
            f"{AWAY_SECONDS / 60:.0f} minutes. They can join again."
        )
        options = {"key": "clear-names", "icon": icon, "type": "tertiary", "help": help, "disabled": not students}
        shell.render_attempt_button("Clear unused names", _clear, **options)
    name, address, until = st.session_state.get(_LINK, ("", "", 0.0))
    if time.time() < until:
        with st.container(border=True):
            st.markdown(f"**{plain(name)}** rejoins by this link, once, within {REJOIN_SECONDS / 60:.0f} minutes:")
            st.code(address, language=None, wrap_lines=True)
            st.html(invitation.qr_picture(address, alt="QR code of the link"), width=180)
            st.button("Done", key="rejoin-done", on_click=st.session_state.pop, args=(_LINK, None))
    runs = Counter(run.owner for run in lab().runs.all())
    for member in here:
        _row(member, runs[member.person.person_id])
    away = [member for member in members if not member.sessions]
    if away:
        by_id = {member.person.person_id: member for member in away}
        titles = {person_id: member.person.name for person_id, member in by_id.items()}
        label = f"Without a session: {len(away)}"
        chosen = inputs.selectbox(label, list(by_id), key="people-away", format_func=titles.__getitem__)
        _row(by_id[chosen], runs[chosen])
    if not members:
        st.caption("Nobody has joined yet.")


def _row(member: Member, runs: int) -> None:
    person = member.person
    me = visitor().person_id == person.person_id
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
        if member.sessions:
            again = "With the code they can join under another name."
            if person.leads:
                again = "With the teacher's code they are back under this name; renew it to keep them out."
            help = f"Ends their session everywhere. Their runs stay. {again}"
            options = {"key": f"remove-{person.person_id}", "icon": ":material/logout:", "help": help}
            label, remove = named("Remove", person.name), lab().people.remove
            shell.render_attempt_button(label, remove, person.person_id, **options)
        help = "For somebody who left, was removed or changed computers: they get this name back."
        options = {"key": f"rejoin-{person.person_id}", "icon": ":material/link:", "type": "tertiary", "help": help}
        label, base = named("Rejoin link", person.name), invitation.app_address()
        shell.render_attempt_button(label, _rejoin, person, base, **options)


def _clear() -> None:
    st.toast(f"Unused names cleared: {len(lab().people.clear())}", icon="✅")


def _rejoin(person: Person, base: str) -> None:
    until, code = time.time() + REJOIN_SECONDS, lab().people.rejoin_code(person.person_id)
    st.session_state[_LINK] = person.name, rejoin_address(base, code), until
