"""The kinds of background work: one record each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        name: Letters, digits and hyphens; jobs' ids begin with it.
        title: What people call it, to follow "the": ``"measurement"``.
        work: ``"module:function"``, imported by the worker process alone. The function gets a
            :class:`~aquadash.jobs.worker.JobContext` and returns what it has found, as few plain values for JSON.
        requeue: A job whose worker was lost is put back, and one that is queued waits for whoever comes next, on any
            machine. Else its worker is started with it on the same machine, which has the files that it needs, and it
            is interrupted when nobody has taken care of it for a lease, queued or not.
        niceness: How far its worker steps back for others, 0 to 19, as ``nice`` counts.
        slots: So many are worked on at the same time on one machine.
        linger: Seconds for which its worker waits for another job before it ends, for work whose libraries take long to
            load.
        kept: Seconds after which an ended job is forgotten; None for never.
    """

    name: str
    title: str
    work: str
    requeue: bool = False
    niceness: int = 0
    slots: int = 1
    linger: float = 0.0
    kept: float | None = None


#: Not the lowest priority: beside a training a worker would hardly get to say that it is alive.
_BESIDE_TRAINING = 10

_MINUTE, _DAY = 60.0, 24 * 3600.0

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "robustness",
            "measurement",
            "aquadash.robustness.job:work",
            niceness=_BESIDE_TRAINING,
            slots=2,
        ),
        Kind(
            "label-safety",
            "measurement",
            "aquadash.robustness.label_safety_job:work",
            linger=_MINUTE,
            kept=_DAY,
        ),
        Kind("convert-tflite", "conversion", "aquadash.export.convert_job:work"),
        Kind("convert-onnx", "conversion", "aquadash.export.convert_job:work"),
        Kind("export", "export", "aquadash.export.preparing:work_export", slots=2, linger=_MINUTE, kept=_DAY),
        Kind("import", "import", "aquadash.export.preparing:work_import", slots=2, linger=_MINUTE, kept=_DAY),
    )
}
