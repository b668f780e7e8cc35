"""Walkthrough: the report, section by section, with something to try and to find out in each."""

from __future__ import annotations

from aquadash.ui import shell
from aquadash.ui.walkthrough import frame

with shell.page("walkthrough"):
    frame.show()
