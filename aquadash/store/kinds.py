"""The kinds of background work: one record each."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class JobKind:
    """A kind of job."""

    #: Letters, digits and hyphens; jobs' ids begin with it.
    name: str
    #: The noun for people, to follow "the": ``"measurement"``.
    title: str
    #: ``"module:function"``, which only the worker process imports. The function takes a
    #: :class:`~aquadash.work.worker.JobContext` and returns a small result as plain values for JSON.
    work: str
    #: ``"module:function"`` to tidy up, which the worker calls with the subject of a finished job; empty for nothing.
    finished: str = ""
    #: Workers in a row that may be lost without progress; the job is requeued until then. 0: the first loss ends it.
    max_worker_failures: int = 0
    #: ``"module:function"`` that imports slow libraries, called by the standby process; empty for nothing.
    prepare: str = ""
    #: The ``nice`` value of the worker, 0 to 19.
    niceness: int = 0
    #: Jobs at the same time on one machine; None for the number in ``AQUADASH_SLOTS``.
    slots: int | None = 1
    #: Seconds after which the row of an ended job is deleted; None for never.
    kept: float | None = None
    #: Seconds after which the system kills the worker; None for no limit. With a limit, stopping a job also kills a
    #: worker that does not answer.
    max_seconds: float | None = None
    #: Whether a person's next job waits until their last one has ended.
    one_per_person: bool = False
    #: Whether the worker ends when the process that started it has ended.
    ends_with_app: bool = False


_DAY = 24 * 3600.0

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
        JobKind("search", "search", "aquadash.search.job:work", max_worker_failures=3, slots=8, ends_with_app=True),
        JobKind(
            "robustness",
            "measurement",
            "aquadash.robustness.job:work",
            # At 19 a worker beside a training gets too little time to send its heartbeats.
            niceness=10,
            slots=3,
            kept=_DAY,
        ),
        JobKind("export", "export", "aquadash.export.jobs:work_export", slots=2, kept=_DAY),
        JobKind(
            "import",
            "import",
            "aquadash.export.jobs:work_import",
            slots=2,
            kept=_DAY,
            # The largest file that is allowed, 1 GB, takes 10 s on two cores.
            max_seconds=300.0,
            one_per_person=True,
            ends_with_app=True,
        ),
    )
}


def named(name: str) -> Callable[..., Any]:
    """Import and return the function of a ``"module:function"``."""
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function
