"""What drawing new images for every epoch costs: epochs with fresh images against epochs with fixed copies."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aquadash import data
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.presets import preset

if TYPE_CHECKING:
    from aquadash.training.checkpoint import Checkpoint
    from aquadash.training.trainer import Trainer

#: Epochs that are timed in a turn, after one that is not.
EPOCHS_A_TURN = 5


@dataclass(frozen=True)
class FreshBench:
    """Epochs of the report's CNN, validation included, with the same pipeline both ways.

    Attributes:
        ratio: Median over the pairs of the time with fresh images over that with fixed copies; 1 means that drawing
            costs the training nothing.
        fresh_seconds: Median time of an epoch with fresh images, the wait for them included.
        copies_seconds: Median time of an epoch with fixed copies.
        pipeline: What was drawn.
        images: Training images an epoch.
        pairs: How many turns of each way were timed, one after the other.
        epochs_a_turn: Epochs that were timed in a turn.
        pair_ratios: The ratio of every pair.
    """

    ratio: float
    fresh_seconds: float
    copies_seconds: float
    pipeline: str
    images: int
    pairs: int
    epochs_a_turn: int
    pair_ratios: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_fresh(
    *,
    pipeline: str = "notebook-1",
    pairs: int = 7,
    epochs_a_turn: int = EPOCHS_A_TURN,
    dataset: Dataset | None = None,
    progress: Callable[[str, float | None], None] | None = None,
) -> FreshBench:
    """Train the report's CNN both ways in turn, in this process, as a worker does.

    Drawing runs ahead, so a turn begins with an epoch that is not timed and ends when nothing is being drawn: what is
    drawn during the timed epochs is what those epochs need.

    Args:
        pipeline: Its name, or several with weights.
        pairs: Turns of each way.
        epochs_a_turn: Epochs that are timed in a turn.
        dataset: The images; the embedded ones when None.
        progress: Called with what is being done and the share that is done.
    """
    tell = progress or (lambda text, share: None)
    found = dataset or data.load("synthetic")
    # An epoch less than all needs would not be drawn ahead.
    epochs = 2 + pairs * (1 + epochs_a_turn)
    base = with_values(
        preset("notebook-fixed").config,
        {"augmentation.pipeline": pipeline, "training.patience": 0, "training.epochs": epochs},
    )
    tell("warming up", None)
    ways = {mode: _Way(with_values(base, {"augmentation.mode": mode}), found) for mode in ("copies", "fresh")}
    seconds: dict[str, list[float]] = {mode: [] for mode in ways}
    try:
        for way in ways.values():
            way.turn(0)
        for pair in range(pairs):
            tell("timing epochs", pair / pairs)
            # The way that goes first changes, so that a trend of the machine meets both.
            for mode in list(ways) if pair % 2 else reversed(list(ways)):
                seconds[mode].append(ways[mode].turn(epochs_a_turn))
    finally:
        for way in ways.values():
            way.close()
    ratios = tuple(fresh / copies for fresh, copies in zip(seconds["fresh"], seconds["copies"], strict=True))
    return FreshBench(
        ratio=statistics.median(ratios),
        fresh_seconds=statistics.median(seconds["fresh"]),
        copies_seconds=statistics.median(seconds["copies"]),
        pipeline=base.augmentation.pipeline,
        images=ways["fresh"].images,
        pairs=pairs,
        epochs_a_turn=epochs_a_turn,
        pair_ratios=ratios,
    )


class _Way:
    """A training that goes on for some epochs whenever it is asked."""

    def __init__(self, config: RunConfig, dataset: Dataset) -> None:
        import tensorflow as tf

        from aquadash.training.trainer import Trainer

        tf.config.experimental.enable_op_determinism()
        self._trainer: Trainer = Trainer(config, dataset, _Silence(), lambda text, share: None, time.time)
        self._state: Checkpoint | None = None
        self.images = len(self._trainer.images.epoch(1)[1])

    def turn(self, epochs: int) -> float:
        """Train an epoch and then so many more; seconds of each of those, 0 for none."""
        self._state = self._trainer.train_one_epoch(self._state)
        began = time.perf_counter()
        for _ in range(epochs):
            self._state = self._trainer.train_one_epoch(self._state)
        ended = time.perf_counter()
        self._trainer.images.ready()
        return (ended - began) / max(1, epochs)

    def close(self) -> None:
        self._trainer.close()


class _Silence:
    """Listens to a training and says nothing."""

    def on_progress(self, progress: object) -> None:
        pass

    def on_epoch(self, state: object) -> None:
        pass
