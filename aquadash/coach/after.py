"""Notes on what a run did, while it trains and when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aquadash.coach.curve_rules import RULES
from aquadash.coach.note import Note, by_importance
from aquadash.coach.situation import Situation
from aquadash.evaluation import Evaluation
from aquadash.runs import EpochRecord, Run

#: More would be read by nobody.
MOST_NOTES = 4


def run_notes(
    run: Run,
    history: Sequence[EpochRecord],
    evaluation: Evaluation | None,
    *,
    count_training: Callable[[], Mapping[str, int]] = dict,
) -> list[Note]:
    """What a run's curves and results say, the most important first.

    While the run is at work, a note is given only if it also held an epoch earlier: one that is just on the edge would
    come and go.

    Args:
        run: The run.
        history: Its complete epochs, in order.
        evaluation: The results on the test images; None where there are none.
        count_training: Gives the training images by class name, nothing where they cannot be counted; called only for
            a class that is hardly ever recognised, which may be a rare one.

    Returns:
        At most :data:`MOST_NOTES`; none where there is nothing to say yet.
    """
    ended = run.status.ended
    found = _found(Situation(run, history, evaluation, count_training), live=not ended)
    if not ended:
        held = {note.key for note in _found(Situation(run, history[:-1]), live=True)}
        found = [note for note in found if note.key in held]
    return by_importance(found)[:MOST_NOTES]


def _found(situation: Situation, *, live: bool) -> list[Note]:
    """The notes of all rules in their order; with ``live`` of those that may speak while the run is at work."""
    notes: list[Note] = []
    for rule in RULES:
        told = {note.key for note in notes}
        if (live and not rule.live) or told & set(rule.unless):
            continue
        note = rule.find(situation)
        if note is not None:
            notes.append(note)
    return notes
