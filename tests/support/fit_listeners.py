"""Trainings inside a test, and a listener for them."""

from typing import Any

from aquadash.config import RunConfig
from aquadash.data import Dataset
from aquadash.store import Progress, Stopped
from aquadash.training.checkpoint import Checkpoint


class Listener:
    """Keeps what it hears; asks to stop in the middle of an epoch if told to."""

    def __init__(self, stop_in_epoch: int | None = None) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.progress: list[Progress] = []
        self._stop_in_epoch = stop_in_epoch

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)
        if progress.epoch == self._stop_in_epoch:
            raise Stopped

    def on_epoch(self, state: Checkpoint) -> None:
        self.checkpoints.append(state)


def fit(config: RunConfig, dataset: Dataset, listener: Listener | None = None, **options: Any) -> Any:
    from aquadash.training import fit as module

    return module.fit(config, dataset, listener=listener or Listener(), **options)
