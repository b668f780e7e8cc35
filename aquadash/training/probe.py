"""Measure the cost of a run on this computer by training some epochs like its own."""

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

#: Epochs of each phase; the first also compiles the network and computes the features of a frozen body.
_EPOCHS = 2


def probe(config: RunConfig, dataset: Dataset, *, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
    """Train two epochs of each phase of a run in this process, and return its cost as plain values for JSON.

    - ``seconds_per_epoch``, ``images_per_second``: of the slowest phase, validation included.
    - ``seconds_total_at_most``: all epochs without early stopping, and ``seconds_preparing``: drawing fixed variants,
      compiling, computing features. The start of the process and the final predictions are not included.
    - ``phases``: the ``epochs`` at most, ``seconds_per_epoch`` and ``on_features`` (only the head learns) of each.
    - ``memory_bytes``: the peak of this process; ``memory_is_short``: whether the computer had less.
    - ``measured_steps``, ``step_images``: weight updates of an epoch, and images in each.
    - ``parameters``, ``trainable_parameters``, ``multiply_adds``, ``layers``: as in ``models.ModelSummary``.
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
        # A new seed, because the features of the run's own variants may be in the cache.
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
    """Ends a training after some epochs, before its final predictions."""

    on_progress: Callable[[Progress], None]
    last: int
    history: tuple[EpochRecord, ...] = ()

    def on_epoch(self, state: Checkpoint) -> None:
        self.history = state.history
        if state.epoch == self.last:
            raise _Measured
