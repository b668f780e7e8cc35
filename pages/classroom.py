"""Class: the board, the queue, and for the teacher all that leads a class."""

from __future__ import annotations

from aquadash.ui import shell
from aquadash.ui.classroom import class_page

with shell.page("classroom"):
    class_page.SECTIONS.choose().show()
