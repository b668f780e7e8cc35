"""The page of the class: its views, and who has which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from aquadash import people
from aquadash.ui import bound, shell
from aquadash.ui.classroom import board, invitation, limits_form, members, projector, queue

_VIEW = "view"


@dataclass(frozen=True)
class View:
    """A part of the page.

    Attributes:
        title: On its button.
        icon: Before it.
        draw: Draws it.
        for_teacher: True if students do not have it.
    """

    title: str
    icon: str
    draw: Callable[[], None]
    for_teacher: bool = False


VIEWS: dict[str, View] = {
    "board": View("Board", ":material/leaderboard:", board.show),
    "queue": View("Queue", ":material/hourglass_top:", queue.show),
    "invitation": View("Join code", ":material/qr_code_2:", invitation.show),
    "people": View("People", ":material/group:", members.show, for_teacher=True),
    "limits": View("Limits", ":material/tune:", limits_form.show, for_teacher=True),
    "screen": View("Projector", ":material/cast:", projector.control, for_teacher=True),
}


def show() -> None:
    """Draw the menu of views, bound to ``?view=``, and the chosen one."""
    leads = people.current().leads
    mine = {name: view for name, view in VIEWS.items() if leads or not view.for_teacher}
    if projector.is_one():
        # A projector is led; what it shows is in its address.
        name = str(st.query_params.get(_VIEW, "board"))
        (mine.get(name) or VIEWS["board"]).draw()
        return
    titles = {name: f"{view.icon} {view.title}" for name, view in mine.items()}
    chosen = bound.choice(_VIEW, titles, label="What to see", default="board", label_visibility="collapsed")
    with shell.guard():
        mine[chosen].draw()
