"""Listeners for trainings inside a test."""

from __future__ import annotations

from aquadash.runs import Progress
from aquadash.training.checkpoint import Checkpoint


class Silent:
    """Says nothing and never stops."""

    def on_progress(self, progress: Progress) -> None:
        pass

    def on_epoch(self, state: Checkpoint) -> None:
        pass
