"""The kinds of background work: one record each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JobKind:
    """A kind of job."""

    #: Letters, digits and hyphens; jobs' ids begin with it.
    name: str
    #: What people call it, to follow "the": ``"measurement"``.
    title: str
    #: ``"module:function"``, imported by the worker process alone. The function gets a
    #: :class:`~aquadash.work.worker.JobContext` and returns what it has found, as few plain values for JSON.
    work: str
    #: ``"module:function"``, called by the worker with the subject of a job that has finished, to tidy up; empty for
    #: nothing.
    finished: str = ""
    #: Where this is 0, a worker is started with each job, and a job whose lease has expired is interrupted, queued or
    #: not. Else a queued job waits for a slot, and a job whose worker was lost is requeued, until so many workers in a
    #: row were lost without any progress.
    max_worker_failures: int = 0
    #: ``"module:function"``, called by the process that stands by, to import what takes long; empty for nothing.
    prepare: str = ""
    #: How far its worker steps back for others, 0 to 19, as ``nice`` counts.
    niceness: int = 0
    #: So many are worked on at the same time on one machine; None for as many as ``AQUADASH_SLOTS`` says.
    slots: int | None = 1
    #: Seconds for which its worker waits for another job before it ends, for work whose libraries take long to load.
    linger: float = 0.0
    #: Seconds after which an ended job is forgotten; None for never.
    kept: float | None = None
    #: Seconds after which the system kills a worker that is still at a job; None for no limit. With a limit, stopping a
    #: job also kills a worker that does not answer.
    max_seconds: float | None = None
    #: Whether a person's next job waits until their last one has ended.
    one_per_person: bool = False
    #: Whether its worker ends when the process that started it has ended.
    ends_with_app: bool = False


#: Not the lowest priority: beside a training a worker would hardly get to say that it is alive.
_BESIDE_TRAINING = 10

_MINUTE, _DAY = 60.0, 24 * 3600.0

KINDS = {
    kind.name: kind
    for kind in (
        JobKind(
            "train",
            "training",
            "aquadash.training.worker:work",
            finished="aquadash.training.worker:tidy_up",
            max_worker_failures=3,
            prepare="aquadash.training.worker:prepare",
            slots=None,
        ),
        JobKind(
            "search",
            "search",
            "aquadash.search.job:work",
            max_worker_failures=3,
            slots=8,
            ends_with_app=True,
        ),
        JobKind(
            "robustness",
            "measurement",
            "aquadash.robustness.job:work",
            niceness=_BESIDE_TRAINING,
            slots=3,
            linger=_MINUTE,
            kept=_DAY,
        ),
        JobKind("export", "export", "aquadash.export.jobs:work_export", slots=2, linger=_MINUTE, kept=_DAY),
        JobKind(
            "import",
            "import",
            "aquadash.export.jobs:work_import",
            slots=2,
            linger=_MINUTE,
            kept=_DAY,
            # The largest run that is taken in, of 1 GB, took 10 s on two cores.
            max_seconds=5 * _MINUTE,
            one_per_person=True,
            ends_with_app=True,
        ),
    )
}


def named(name: str) -> Callable[..., Any]:
    """The function of a ``"module:function"``."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
