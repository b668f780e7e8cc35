"""Forecasts for queued runs: the rank, and about how many seconds until the start.

Each run ahead is expected to take the median time of earlier runs with the same network and images.
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

#: The message of queued runs while the queue is paused.
HELD = "The teacher holds the queue; nothing starts until it is let go on."


@dataclass(frozen=True)
class Waiting:
    """A queued run's rank and start."""

    #: The rank in the queue: 1 for the run that starts next.
    rank: int
    #: The expected seconds until the start; None while unknown.
    seconds: float | None


def waiting_times(
    runs: Sequence[Run], *, slots: int, paused: bool = False, now: float | None = None
) -> dict[str, Waiting]:
    """Return the forecast of each queued run by its id, the next run first."""
    now = time.time() if now is None else now
    waiting = sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.rank)
    if paused:
        return {run.run_id: Waiting(rank, None) for rank, run in enumerate(waiting, start=1)}
    paces = Paces(runs if waiting else (), head_epochs)
    # After a change of AQUADASH_SLOTS more runs may be at work than there are slots.
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
    """Return the seconds until a running run ends; infinite if they are unknown or the run is overdue."""
    if run.progress is not None and run.progress.eta_seconds is not None:
        left = run.progress.eta_seconds - max(0.0, now - run.progress.time)
    else:
        left = _takes(run, paces) - max(0.0, now - (run.started_at or now))
    return left if left > 0 else math.inf


def _takes(run: Run, paces: Paces) -> float:
    """Return the seconds from a run's start to its last possible epoch; infinite while unknown."""
    seconds = paces.seconds_per_epoch(run.config)
    if seconds is None:
        return math.inf
    # The curve is thinned to 60 points, so take the epoch of a running run from its progress.
    done = max(len(run.curve), run.progress.epoch - 1 if run.progress is not None else 0)
    epochs = run.config.training.epochs
    if run.started_at is None or done >= epochs:
        done = 0
    # The epochs that train a new head alone take almost no time, so the remaining epochs take nearly all of it.
    fraction = min(1.0, (epochs - done) / (epochs - head_epochs(run.config)))
    return STARTING_SECONDS + seconds * epochs * fraction
