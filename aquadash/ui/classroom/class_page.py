"""The Class page's sections, and who has which."""

from __future__ import annotations

import streamlit as st

from aquadash.ui.classroom import board, invitation, limits_form, members, projector, queue
from aquadash.ui.sections import Section, Sections

SECTIONS = Sections(
    "view",
    "What to see",
    {
        "queue": Section(":material/hourglass_top: Now", queue.show),
        "board": Section(":material/leaderboard: Board", board.show),
        "invitation": Section(":material/qr_code_2: Join code", invitation.show),
        "people": Section(":material/group: People", members.show, for_teacher=True),
        "limits": Section(":material/tune: Limits", limits_form.show, for_teacher=True),
        "screen": Section(":material/cast: Projector", projector.control, for_teacher=True),
    },
)


def show() -> None:
    """Draw the choice among the sections, and the chosen one."""
    if projector.is_one():
        # A projector is led; what it shows is in its address.
        word = str(st.query_params.get(SECTIONS.name, ""))
        SECTIONS.mine().get(word, SECTIONS.table["queue"]).show()
    else:
        SECTIONS.choose().show()
