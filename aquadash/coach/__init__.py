"""Notes in plain words on a run's settings and curves, each with its evidence and, where there is one, a change to try.

Those of :mod:`before` and :mod:`network_rules` are conditions on settings, those of :mod:`after` a table of functions
that look at what a run did.
"""

from __future__ import annotations

from aquadash.coach.after import MAX_NOTES, run_notes
from aquadash.coach.before import config_notes
from aquadash.coach.note import LEVELS, Level, Note
from aquadash.coach.situation import training_counts
