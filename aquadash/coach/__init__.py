"""Notes in plain words on a run's settings (:mod:`before`, :mod:`network_rules`) and on its results (:mod:`after`)."""

from aquadash.coach.after import MAX_NOTES, run_notes
from aquadash.coach.before import config_notes
from aquadash.coach.note import LEVELS, Level, Note
from aquadash.coach.situation import training_counts
