"""A listener for trainings inside a test."""

from __future__ import annotations

from aquadash.runs import Progress
from aquadash.training.checkpoint import Checkpoint


class Listener:
    """Keeps what it hears; asks to stop in the middle of an epoch if told to."""

    def __init__(self, stop_in_epoch: int | None = None) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.progress: list[Progress] = []
        self._stop_in_epoch = stop_in_epoch

    def on_progress(self, progress: Progress) -> None:
        from aquadash.jobs import Stopped

        self.progress.append(progress)
        if progress.epoch == self._stop_in_epoch:
            raise Stopped

    def on_epoch(self, state: Checkpoint) -> None:
        self.checkpoints.append(state)
