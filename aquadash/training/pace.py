"""How fast an epoch goes and how long the rest will take."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from aquadash.config import TrainingConfig
from aquadash.runs import EpochRecord, Progress

#: The time an epoch takes is the median of so many before it, so that one slow epoch does not shake the forecast.
_RECENT_EPOCHS = 5


class Pace:
    """Turns batches done into speed and remaining time."""

    def __init__(
        self,
        config: TrainingConfig,
        *,
        images: int,
        history: Sequence[EpochRecord],
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Starts the epoch's stopwatch.

        Args:
            config: Batch size and number of epochs.
            images: Images an epoch visits.
            history: The epochs before this one.
            stopwatch: Seconds from any start.
        """
        self._config = config
        self._images = images
        self._epoch = len(history) + 1
        self._epoch_seconds = statistics.median([r.seconds for r in history[-_RECENT_EPOCHS:]]) if history else None
        self._stopwatch = stopwatch
        self._first: tuple[int, float] | None = None

    def progress(self, batch: int, batches: int, *, now: float) -> Progress:
        """The state after ``batch`` of ``batches``; ``now`` is in seconds since 1970."""
        done = min(batch * self._config.batch_size, self._images)
        elapsed = self._stopwatch()
        if self._first is None:
            # The first call of a process also compiles the network, so speed is counted from its end.
            self._first = (done, elapsed)
        first_done, first_elapsed = self._first
        speed = (done - first_done) / (elapsed - first_elapsed) if elapsed > first_elapsed else 0.0
        return Progress(
            phase="training",
            epoch=self._epoch,
            epochs=self._config.epochs,
            batch=batch,
            batches=batches,
            images_per_second=speed,
            eta_seconds=self._eta(done, speed),
            time=now,
        )

    def _eta(self, done: int, speed: float) -> float | None:
        """Seconds to the end of the last epoch that the config allows."""
        epoch_seconds = self._epoch_seconds or (self._images / speed if speed else None)
        if epoch_seconds is None:
            return None
        return (self._config.epochs - self._epoch + 1 - done / self._images) * epoch_seconds
