"""The runs that are held beside one another, with what the sections of the comparison read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aquadash.figures.theme import shorten
from aquadash.store.measured import Images
from aquadash.store.types import Predictions, Run
from aquadash.ui.lab import lab
from aquadash.ui.text import plain, unique_titles

if TYPE_CHECKING:
    from aquadash.evaluation import Evaluation, PairTest
    from aquadash.lab.runs import Compared as Found

#: Colours, dashes and markers tell so many runs apart.
MAX_RUNS = 10


@dataclass(frozen=True, eq=False)
class Compared:
    """Two to ten runs, their titles, and the images that they are measured on.

    What is read of the runs has one entry a run, in their order, so that a run keeps its colour.
    """

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    images: Images

    def on(self, images: Images) -> Compared:
        """The same runs, measured on other images."""
        return replace(self, images=images)

    @cached_property
    def _found(self) -> Found:
        return lab().runs.compare(self.runs, self.images)

    def predictions(self) -> tuple[Predictions | None, ...]:
        """Of the images; None for a run without any."""
        return self._found.predictions

    def evaluations(self) -> tuple[Evaluation | None, ...]:
        """The scores; None for a run without predictions."""
        return self._found.evaluations

    def pairs(self) -> tuple[PairTest, ...]:
        """Each run against each later one."""
        return self._found.pairs

    def measured_together(self) -> list[int]:
        """Positions of the first run that can be compared with another, and of all that can be compared with it."""
        from aquadash.evaluation import measured_together

        return measured_together(self.pairs())

    def damaged(self) -> dict[str, str]:
        """What the runs are called whose predictions cannot be read, with the reason."""
        return {name: reason for name, reason in zip(self.names, self._found.errors, strict=True) if reason}


def bold(name: str) -> str:
    """A run's name in a sentence: as typed, in markdown."""
    return f"**{plain(shorten(name))}**"


def labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names, told apart by the start of the id where two have the same."""
    names = {run.run_id: run.name for run in runs}
    return list(unique_titles(names, lambda run_id, name: f"{name} ({run_id[:8]})").values())
