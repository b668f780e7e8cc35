"""What a run will cost on this computer: epochs like its own are trained, and no run comes of them."""

from __future__ import annotations

import resource
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

from aquadash import models
from aquadash.augment import plan
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.store import EpochRecord, Progress
from aquadash.training.checkpoint import Checkpoint
from aquadash.training.fit import fit
from aquadash.training.phases import phase_of
from aquadash.training.prepare import split_positions, visited_images

#: Epochs of each phase: the first also compiles the network and computes the features of a frozen body.
_EPOCHS = 2


def probe(config: RunConfig, dataset: Dataset, *, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
    """Train two epochs of each phase of a run in this process, and say what all of it will cost.

    Args:
        on_progress: Told several times a second how far it is.

    Returns:
        Plain values for JSON:

        - ``seconds_per_epoch``: of the phase whose epochs take longest, validation included; ``images_per_second``: how
          many images it visits in that time.
        - ``seconds_total_at_most``: of all epochs and the preparation before them (``seconds_preparing``: drawing fixed
          variants, compiling, computing features), if early stopping does not end it sooner; without the few seconds
          in which a process starts, and without the look at all images once more after the last epoch.
        - ``phases``: of each its ``epochs`` at most, ``seconds_per_epoch``, and ``on_features``: whether only a new
          head learns.
        - ``memory_bytes``: the most that this process has taken; ``memory_is_short``: whether the computer had less. A
          network far too large for it ends this process, as it would end the run's.
        - ``measured_steps`` and ``step_images``: weight updates that the time of an epoch comes from, and images in
          each.
        - ``parameters``, ``trainable_parameters``, ``multiply_adds`` and ``layers``: those of the network, as in
          :class:`~aquadash.models.ModelSummary`.

    Raises:
        AquaDashError: The settings do not make a network, or pipeline, weights or images cannot be had.
    """
    free_bytes = psutil.virtual_memory().available + psutil.Process().memory_info().rss
    network = models.describe(
        config.model, image_shape=dataset.image_shape, num_classes=len(dataset.class_names)
    ).to_dict()
    most, head = config.training.epochs, config.training.head_epochs
    phases = list(dict.fromkeys(phase_of(config, epoch) for epoch in (1, most)))
    epochs = [most] if len(phases) == 1 else [head, most - head]
    trial = {
        "training.epochs": _EPOCHS * len(phases),
        "training.head_epochs": _EPOCHS if head else 0,
        "training.patience": 0,
        # Other variants than the run's, and than those of the probe before: their features are not in the cache.
        "seed": secrets.randbelow(2**32),
    }
    began = time.perf_counter()
    listener = _FirstEpochs(on_progress, last=_EPOCHS * len(phases))
    try:
        fit(with_values(config, trial), dataset, listener=listener)
    except _Measured:
        pass
    total = time.perf_counter() - began
    records = listener.history[_EPOCHS - 1 :: _EPOCHS]
    preparing = max(0.0, total - sum(_EPOCHS * record.seconds for record in records))
    slowest = max(record.seconds for record in records)
    originals = len(split_positions(config, dataset)[0])
    images = visited_images(config.training, originals * plan(config.augmentation).factor)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = peak if sys.platform == "darwin" else 1024 * peak
    return {
        "seconds_per_epoch": slowest,
        "seconds_total_at_most": preparing
        + sum(count * record.seconds for count, record in zip(epochs, records, strict=True)),
        "seconds_preparing": preparing,
        "memory_bytes": memory,
        "memory_is_short": memory > free_bytes,
        "images_per_second": images / slowest,
        "measured_steps": -(-images // config.training.batch_size),
        "step_images": min(images, config.training.batch_size),
        "parameters": network["params"],
        "trainable_parameters": network["trainable_params"],
        "multiply_adds": network["multiply_adds"],
        "layers": network["layers"],
        "phases": [
            {"epochs": count, "seconds_per_epoch": record.seconds, "on_features": phase.on_features}
            for count, record, phase in zip(epochs, records, phases, strict=True)
        ],
    }


class _Measured(Exception):
    """Enough epochs are trained."""


@dataclass
class _FirstEpochs:
    """Ends a training after some epochs, before anything is made of the trained network."""

    on_progress: Callable[[Progress], None]
    last: int
    history: tuple[EpochRecord, ...] = ()

    def on_epoch(self, state: Checkpoint) -> None:
        self.history = state.history
        if state.epoch == self.last:
            raise _Measured
