"""How long a waiting run still waits: its place, and about how many seconds until it starts.

Each run before it is expected to take as long as the median of earlier ones with the same network and images.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aquadash.models import head_epochs
from aquadash.store import Run, RunStatus
from aquadash.store.cost import STARTING_SECONDS, Paces

#: Said of what waits while the queue is held.
HELD = "The teacher holds the queue; nothing starts until it is let go on."


@dataclass(frozen=True)
class Waiting:
    """How a run waits."""

    #: 1 for the one that starts next.
    rank: int
    #: About how long until it starts; None while nobody can say.
    seconds: float | None


def waiting_times(
    runs: Sequence[Run], *, slots: int, paused: bool = False, now: float | None = None
) -> dict[str, Waiting]:
    """How each waiting run waits, the next one first."""
    now = time.time() if now is None else now
    waiting = sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.rank)
    if paused:
        return {run.run_id: Waiting(rank, None) for rank, run in enumerate(waiting, start=1)}
    paces = Paces(runs if waiting else (), head_epochs)
    # More may be at work than there are slots, after the number of slots was changed.
    left = sorted(_left(run, paces, now) for run in runs if run.status is RunStatus.RUNNING)
    frees = left[max(0, len(left) - slots) :] + [0.0] * (slots - len(left))
    heapq.heapify(frees)
    times: dict[str, Waiting] = {}
    for rank, run in enumerate(waiting, start=1):
        starts = heapq.heappop(frees)
        times[run.run_id] = Waiting(rank, starts if math.isfinite(starts) else None)
        heapq.heappush(frees, starts + _takes(run, paces))
    return times


def _left(run: Run, paces: Paces, now: float) -> float:
    """Seconds until a run at work ends; infinite where nobody can say, as of one that should have ended."""
    if run.progress is not None and run.progress.eta_seconds is not None:
        left = run.progress.eta_seconds - max(0.0, now - run.progress.time)
    else:
        left = _takes(run, paces) - max(0.0, now - (run.started_at or now))
    return left if left > 0 else math.inf


def _takes(run: Run, paces: Paces) -> float:
    """Seconds that a run takes from its start to its last possible epoch; infinite where nobody can say."""
    seconds = paces.seconds_per_epoch(run.config)
    if seconds is None:
        return math.inf
    # The curve is thinned to some points; a run at work says its epoch, too.
    done = max(len(run.curve), run.progress.epoch - 1 if run.progress is not None else 0)
    epochs = run.config.training.epochs
    if run.started_at is None or done >= epochs:
        done = 0
    # Epochs of a new head alone take next to nothing: what they leave is still nearly all of the time.
    fraction = min(1.0, (epochs - done) / (epochs - head_epochs(run.config)))
    return STARTING_SECONDS + seconds * epochs * fraction
