"""How long a waiting run still waits: its place, and about how many seconds until it starts at most.

Each run before it is expected to take as long as earlier ones of its kind; where there were none, nobody can say.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aquadash.models import head_epochs
from aquadash.runs import Run, RunStatus
from aquadash.runs.cost import STARTING_SECONDS, Paces

#: Said of what waits while the queue is held.
HELD = "The teacher holds the queue; nothing starts until it is let go on."

#: Stands for the seconds of what should have ended and is still at work: its slot comes next, nobody can say when.
_OVERDUE = 1.0


@dataclass(frozen=True)
class Waiting:
    """How a run waits."""

    #: 1 for the one that starts next.
    rank: int
    #: About how long until it starts, at most, or from the end of what is overdue before it; None while nobody can say.
    seconds: float | None
    #: What the time is worked out from, or why there is none: a sentence for people.
    why: str


def waiting_times(
    runs: Sequence[Run], *, slots: int, paused: bool = False, now: float | None = None
) -> dict[str, Waiting]:
    """How each waiting run waits, the next one first.

    Args:
        runs: All runs of the store, in any order.
        slots: How many may train at once, at least 1.
        paused: True while the queue is held.
        now: Seconds since 1970 UTC; the present if None.
    """
    now = time.time() if now is None else now
    waiting = sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.rank)
    if not waiting:
        return {}
    if paused:
        return {run.run_id: Waiting(rank, None, HELD) for rank, run in enumerate(waiting, start=1)}
    paces = Paces(runs, head_epochs)
    # What is at work, even beyond its last epoch, leaves no slot free yet.
    left = [max(_OVERDUE, _left(run, paces, now)) for run in runs if run.status is RunStatus.RUNNING]
    free = sorted(left, key=lambda seconds: (seconds == _OVERDUE, seconds))
    # More may be at work than there are slots, after the number of slots was changed.
    free = free[max(0, len(free) - slots) :] + [0.0] * (slots - len(free))
    # All times are at most: while another slot says when it is free, nothing is counted from an overdue one.
    said = any(seconds not in (_OVERDUE, math.inf) for seconds in free)
    # When each slot is free, and whether that counts from the end of something overdue.
    frees = [(math.inf if said and seconds == _OVERDUE else seconds, seconds == _OVERDUE) for seconds in free]
    heapq.heapify(frees)
    found: dict[str, Waiting] = {}
    bases: list[str] = []
    for rank, run in enumerate(waiting, start=1):
        starts, overdue = heapq.heappop(frees)
        unknown = starts in (_OVERDUE, math.inf)
        found[run.run_id] = Waiting(rank, None if unknown else starts, _why(starts, overdue, bases))
        seconds, base = _takes(run, paces)
        bases = list(dict.fromkeys([*bases, *([base] if base else [])]))
        heapq.heappush(frees, (starts + seconds, overdue))
    return found


def _left(run: Run, paces: Paces, now: float) -> float:
    """Seconds until a run at work ends, at most; infinite where nobody can say."""
    if run.progress is not None and run.progress.eta_seconds is not None:
        return max(0.0, run.progress.eta_seconds - max(0.0, now - run.progress.time))
    return max(0.0, _takes(run, paces)[0] - max(0.0, now - (run.started_at or now)))


def _takes(run: Run, paces: Paces) -> tuple[float, str]:
    """Seconds that a run takes from its start to its last possible epoch, and what that rests on; infinite likewise."""
    known = paces.known(run.config)
    if known is None:
        return math.inf, ""
    # The curve is thinned to some points; a run at work says its epoch, too.
    done = max(len(run.curve), run.progress.epoch - 1 if run.progress is not None else 0)
    epochs = run.config.training.epochs
    if run.started_at is None or done >= epochs:
        done = 0
    # Epochs of a new head alone take next to nothing: what they leave is still nearly all of the time.
    share = min(1.0, (epochs - done) / (epochs - head_epochs(run.config)))
    return STARTING_SECONDS + known.seconds * epochs * share, known.basis


def _why(starts: float, overdue: bool, bases: Sequence[str]) -> str:
    if starts == 0.0:
        return "A place to train is free, so it starts at once."
    if starts == math.inf:
        return "Nothing like a run before it has been trained here yet, so nobody can say how long that takes."
    if starts == _OVERDUE:
        return "The training before it works out its results, or takes longer than expected: nobody can say how long."
    if not bases:
        return "As long as the training before it says that it still takes; less if that stops early."
    told = f"{' and '.join(bases)}; less where a run stops early."
    if overdue:
        return f"Counted from the end of a training at work, and nobody can say when that is; by {told}"
    return f"The longest to expect, by what is at work and {told}"
