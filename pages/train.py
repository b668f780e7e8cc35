"""Train: launch a run and watch it, or search for good settings."""

from __future__ import annotations

from aquadash.ui import shell
from aquadash.ui.search.train_sections import SECTIONS

with shell.page("train"):
    SECTIONS.choose().show()
