"""How long an epoch takes here, by the runs that have finished."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter

from aquadash.augment import plan
from aquadash.config import SETTINGS, AugmentationConfig, RunConfig
from aquadash.errors import AquaDashError
from aquadash.runs.types import Run

#: Seconds from its start until a run trains: a process, TensorFlow, the images.
STARTING_SECONDS = 5.0

#: Seconds an epoch where nothing of the kind was ever trained here: the report's network and images on two cores.
GUESSED_SECONDS = 2.0

#: The last so many runs of a kind count.
_RECENT = 25


def _settings(*sections: str) -> Callable[[RunConfig], Hashable]:
    """The function that gives a config's values in those sections that an epoch's time depends on."""
    return attrgetter(*(name for name, one in SETTINGS.items() if one.affects_pace and name.startswith(sections)))


#: What makes two runs take as long an epoch: the nearer kind of likeness is looked for first.
_ALIKE: tuple[tuple[str, Callable[[RunConfig], Hashable]], ...] = (
    ("the same network, images and augmentation", _settings("data.", "augmentation.", "model.", "training.")),
    ("the same network and images", _settings("data.", "model.")),
    ("the same network", _settings("model.")),
)


class Paces:
    """Seconds an epoch of the runs that have finished here."""

    def __init__(self, runs: Sequence[Run]) -> None:
        """Takes what is known from runs in any order; those that were trained elsewhere do not count."""
        self._known: dict[tuple[int, Hashable], list[tuple[float, AugmentationConfig]]] = {}
        for run in sorted(runs, key=lambda run: run.ended_at or 0.0, reverse=True):
            epochs, seconds = run.metrics.get("epochs", 0.0), run.metrics.get("seconds", 0.0)
            if run.origin or not run.status.ended or epochs < 1 or seconds <= 0:
                continue
            for level, (_, key) in enumerate(_ALIKE):
                kept = self._known.setdefault((level, key(run.config)), [])
                if len(kept) < _RECENT:
                    kept.append((seconds / epochs, run.config.augmentation))

    def known(self, config: RunConfig) -> tuple[float, str] | None:
        """Seconds an epoch, the median of the nearest kind, and what that rests on; None where there is none.

        Runs with another augmentation count by how many images theirs makes of each.
        """
        for level, (words, key) in enumerate(_ALIKE):
            if kept := self._known.get((level, key(config))):
                times = _factor(config.augmentation)
                found = statistics.median(seconds * times / _factor(other) for seconds, other in kept)
                return found, f"earlier runs with {words}"
        return None

    def of(self, config: RunConfig) -> tuple[float, str]:
        """As :meth:`known`, or a guess."""
        return self.known(config) or (GUESSED_SECONDS, "a guess, as nothing like it has been trained here yet")


def _factor(augmentation: AugmentationConfig) -> int:
    try:
        return plan(augmentation).factor
    except AquaDashError:
        return 1  # A pipeline that is no longer there tells nothing.
