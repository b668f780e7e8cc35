"""What a load test has found, against what a lesson needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

#: What a lesson of thirty needs, on two cores.
GOALS = {
    "page_p95_seconds": ("page change, 95 of 100 within", "at most", 1.5),
    "update_p95_seconds": ("live update behind, 95 of 100 within", "at most", 2.0),
    "training_ratio": ("training's speed, as a share of alone", "at least", 0.9),
    "session_megabytes": ("memory a session, MB", "at most", 8.0),
    "memory_after_ratio": ("memory after they have left, as a share of before", "at most", 1.1),
    "error_count": ("errors", "at most", 0),
}


@dataclass(frozen=True)
class LoadBench:
    """What came out.

    Attributes:
        sessions: How many visitors.
        seconds: How long they were there, sleep included.
        page_changes: How many there were.
        page_p50_seconds: Median of a page change, from the request to the end of the page's script.
        page_p95_seconds: 95 of 100 took no longer.
        pages: Median and 95th percentile by page, with the number.
        updates: How many times somebody who watched the training waited for what its worker had written.
        update_p50_seconds: The median wait, from the worker's writing to the message at the visitor.
        update_p95_seconds: 95 of 100 waited no longer.
        training_alone: Epochs a second while everybody slept.
        training_loaded: Epochs a second under load.
        training_ratio: Median over the phases of load of their pace by that of the sleep before and after.
        training_ratios: Each of them.
        memory_before_megabytes: Of the server, every page having been seen once.
        memory_megabytes: The most under load.
        session_megabytes: The difference to the least without visitors, by their number.
        memory_after_megabytes: When all have left and their sessions are forgotten; None where it was not waited for.
        memory_after_ratio: By that of before.
        server_cores: Of the processors under load, the server.
        training_cores: The training.
        visitor_cores: All visitors, which on other computers would take nothing from this one.
        redraws: Parts of pages that were drawn again by themselves, a second.
        kilobytes: Sent to all visitors, a second.
        errors: What went wrong, in the server's log, in the pages and at the visitors; the first ones.
        error_count: How many.
        goals: By name: what it is, the goal, the figure, and whether it is met.
    """

    sessions: int
    seconds: float
    page_changes: int
    page_p50_seconds: float
    page_p95_seconds: float
    pages: dict[str, dict[str, float]]
    updates: int
    update_p50_seconds: float
    update_p95_seconds: float
    training_alone: float
    training_loaded: float
    training_ratio: float
    training_ratios: tuple[float, ...]
    memory_before_megabytes: float
    memory_megabytes: float
    session_megabytes: float
    memory_after_megabytes: float | None
    memory_after_ratio: float | None
    server_cores: float
    training_cores: float
    visitor_cores: float
    redraws: float
    kilobytes: float
    errors: tuple[str, ...]
    error_count: int
    goals: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def judged(found: LoadBench) -> dict[str, dict[str, Any]]:
    """Each goal whose figure was measured, for :attr:`LoadBench.goals`."""
    found_goals: dict[str, dict[str, Any]] = {}
    for name, (what, side, goal) in GOALS.items():
        value = getattr(found, name)
        if value is not None:
            met = value <= goal if side == "at most" else value >= goal
            found_goals[name] = {"what": what, "goal": f"{side} {goal:g}", "value": value, "met": bool(met)}
    return found_goals


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile; NaN of none."""
    if not values:
        return {"p50": float("nan"), "p95": float("nan"), "count": 0}
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": float(p50), "p95": float(p95), "count": len(values)}


def divided(number: float, by: float) -> float:
    """A quotient; NaN by nothing."""
    return number / by if by else float("nan")
