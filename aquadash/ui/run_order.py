"""In which order runs are shown, and which of them have results; knows runs only, so that every page may ask."""

from __future__ import annotations

from collections.abc import Sequence

from aquadash.runs.types import Run, RunStatus


def at_work_first(runs: Sequence[Run]) -> list[Run]:
    """Runs at work first, the running before the waiting in their order; then the others as they came, the archived
    last."""
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    ended = [run for run in runs if run.status.ended]
    return [*running, *waiting(runs), *sorted(ended, key=lambda run: run.archived)]


def waiting(runs: Sequence[Run]) -> list[Run]:
    """The queue: the run that starts next first."""
    return sorted((run for run in runs if run.status is RunStatus.QUEUED), key=lambda run: run.place)


def has_results(run: Run) -> bool:
    """Whether the run's model has been stored and has predicted the test images."""
    return "test_accuracy" in run.metrics


def results_first(runs: Sequence[Run]) -> list[Run]:
    """The runs with results, pinned ones first, then the others, archived ones last; each in the order they came in."""
    return sorted(runs, key=lambda run: (run.archived, not has_results(run), not run.pinned))
