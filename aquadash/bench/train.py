"""How long an epoch takes: the report's ``fit``, and PyTorch where it is installed, against AquaDash's loop."""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from aquadash.bench.epochs import Way

#: As many images as the report trains on.
IMAGES = 12_500

#: As many as a training of the convolutional presets sees in an epoch, about.
STEP_IMAGES = 2_250

ProgressCallback = Callable[[str, float | None], None]


@dataclass(frozen=True)
class TrainBench:
    """An epoch of the report's CNN at batch 32, every way.

    Attributes:
        ratio: Median over the pairs of the report's time by ours: how many times faster AquaDash trains.
        report_seconds: Median time of the report's ``fit`` for an epoch, after a warm-up epoch.
        aquadash_seconds: Median time of our loop for an epoch, after a warm-up epoch.
        report_images_per_second: 12,500 by the first.
        aquadash_images_per_second: 12,500 by the second.
        pytorch_ratio: Median over the pairs of PyTorch's time by ours; None where PyTorch is not installed.
        pytorch_seconds: Median time of PyTorch's eager loop for an epoch; None likewise.
        pairs: How many epochs of each were timed, in turn.
        pair_ratios: The ratio of every pair.
    """

    ratio: float
    report_seconds: float
    aquadash_seconds: float
    report_images_per_second: float
    aquadash_images_per_second: float
    pytorch_ratio: float | None
    pytorch_seconds: float | None
    pairs: int
    pair_ratios: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class StepBench:
    """An epoch of a preset's network, by our loop and by a training step written by hand.

    Attributes:
        ratio: Median over the pairs of the hand-written way's time by ours: 1 means that our loop costs nothing.
        hand_seconds: Median time of the hand-written way.
        aquadash_seconds: Median time of our loop.
        pairs: How many epochs of each were timed, in turn.
        pair_ratios: The ratio of every pair.
    """

    ratio: float
    hand_seconds: float
    aquadash_seconds: float
    pairs: int
    pair_ratios: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def bench_train(*, pairs: int = 5, progress: ProgressCallback | None = None) -> TrainBench:
    """Time the report's ``fit``, our loop and, where it is installed, PyTorch in turn.

    Args:
        pairs: How many epochs of each.
        progress: Called with what is being done and the share that is done.
    """
    ways = ["report", "aquadash"]
    if importlib.util.find_spec("torch"):
        ways.append("pytorch")
    seconds = _in_turn(ways, preset="notebook", images=IMAGES, pairs=pairs, progress=progress)
    medians = {way: statistics.median(seconds[way]) for way in ways}
    ratios = _ratios(seconds["report"], seconds["aquadash"])
    return TrainBench(
        ratio=statistics.median(ratios),
        report_seconds=medians["report"],
        aquadash_seconds=medians["aquadash"],
        report_images_per_second=IMAGES / medians["report"],
        aquadash_images_per_second=IMAGES / medians["aquadash"],
        pytorch_ratio=(
            statistics.median(_ratios(seconds["pytorch"], seconds["aquadash"])) if "pytorch" in ways else None
        ),
        pytorch_seconds=medians.get("pytorch"),
        pairs=pairs,
        pair_ratios=ratios,
    )


def bench_step(*, preset: str, pairs: int = 5, progress: ProgressCallback | None = None) -> StepBench:
    """Time a preset's network by a hand-written step and by our loop in turn.

    Args:
        preset: Its network starts from nothing.
        pairs: How many epochs of each.
        progress: As in :func:`bench_train`.
    """
    seconds = _in_turn(["hand", "aquadash"], preset=preset, images=STEP_IMAGES, pairs=pairs, progress=progress)
    ratios = _ratios(seconds["hand"], seconds["aquadash"])
    return StepBench(
        ratio=statistics.median(ratios),
        hand_seconds=statistics.median(seconds["hand"]),
        aquadash_seconds=statistics.median(seconds["aquadash"]),
        pairs=pairs,
        pair_ratios=ratios,
    )


def _in_turn(
    names: Sequence[str], *, preset: str, images: int, pairs: int, progress: ProgressCallback | None
) -> dict[str, list[float]]:
    """The seconds of ``pairs`` epochs of every way, after one to warm up."""
    report_progress = progress or (lambda text, share: None)
    report_progress("warming up", None)
    with ExitStack() as stack:
        ways = {name: stack.enter_context(Way(name, preset=preset, images=images)) for name in names}
        for way in ways.values():
            way.epoch_seconds()
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for pair in range(pairs):
            report_progress("timing epochs", pair / pairs)
            for name, way in ways.items():
                seconds[name].append(way.epoch_seconds())
    return seconds


def _ratios(theirs: Sequence[float], ours: Sequence[float]) -> tuple[float, ...]:
    return tuple(a / b for a, b in zip(theirs, ours, strict=True))
