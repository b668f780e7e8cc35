"""Runs with made histories for the tests of the coach."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from aquadash.coach import Note, run_notes
from aquadash.evaluation import Evaluation
from aquadash.store import EpochRecord, RunStatus
from tests.support.runs import run_record

#: A function of the epoch, from 1.
Curve = Callable[[int], float]


def epochs(
    count: int,
    loss: Curve,
    val_loss: Curve,
    *,
    accuracy: float = 0.7,
    val_accuracy: float = 0.65,
    learning_rate: Curve = lambda epoch: 0.01,
) -> list[EpochRecord]:
    """A history of such losses and rates, whose accuracies stay."""
    return [
        EpochRecord(e, loss(e), accuracy, val_loss(e), val_accuracy, learning_rate(e), seconds=1.0)
        for e in range(1, count + 1)
    ]


#: A finished run with these settings changed from the default, and these attributes.
run = partial(run_record, "mine", run_id="a" * 32)


def notes(
    history: Sequence[EpochRecord],
    changes: dict[str, Any] | None = None,
    *,
    status: RunStatus = RunStatus.FINISHED,
    message: str = "",
    evaluation: Evaluation | None = None,
    **more: Any,
) -> dict[str, Note]:
    """The coach's notes by key, in their order."""
    ranked = run_notes(run(changes, status=status, message=message), history, evaluation, **more)
    return {note.key: note for note in ranked}
