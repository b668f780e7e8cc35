"""Class: the board, the queue, and the teacher's tools."""

from aquadash.ui.classroom import board, invitation, limits_form, members, queue
from aquadash.ui.kit import shell
from aquadash.ui.kit.lab import visitor
from aquadash.ui.kit.sections import Section, Sections


def _leads() -> bool:
    return visitor().leads


SECTIONS: Sections[[], None] = Sections(
    "view",
    "What to see",
    {
        "queue": Section(":material/hourglass_top: Now", queue.render_queue),
        "board": Section(":material/leaderboard: Board", board.render_board),
        "invitation": Section(":material/qr_code_2: Join code", invitation.render_invitation),
        "people": Section(":material/group: People", members.render_members, offered=_leads),
        "limits": Section(":material/tune: Limits", limits_form.render_limits, offered=_leads),
    },
)


def render() -> None:
    """Draw the page."""
    with shell.page("classroom"):
        SECTIONS.choose().render()
