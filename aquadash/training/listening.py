"""Who hears how training goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aquadash.runs import Progress

if TYPE_CHECKING:
    from aquadash.training.checkpoint import Checkpoint


class Listener(Protocol):
    """Who wants to hear how training goes. Every method may raise :class:`~aquadash.jobs.Stopped`
    to end it at once; epochs that are complete are kept."""

    def on_progress(self, progress: Progress) -> None:
        """Called several times a second."""

    def on_epoch(self, checkpoint: Checkpoint) -> None:
        """Called after each complete epoch; its record is the checkpoint's last."""
