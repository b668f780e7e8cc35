"""Notes in plain words on a run's settings and curves, each with its evidence and, where there is one, a change to try.

A rule is a small function in a table: those of :mod:`training_rules`, :mod:`schedule_rules` and :mod:`network_rules`
look at settings before training, that of :mod:`curve_rules` at what a run did. A new rule is one more entry.
"""

from __future__ import annotations

from aquadash.coach.after import MOST_NOTES, run_notes
from aquadash.coach.before import config_notes
from aquadash.coach.counting import training_counts
from aquadash.coach.note import LEVELS, Level, Note

__all__ = ["LEVELS", "MOST_NOTES", "Level", "Note", "config_notes", "run_notes", "training_counts"]
