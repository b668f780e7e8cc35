"""The compared runs, with the results that the sections of Compare read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from aquadash.figures.theme import shorten
from aquadash.store.types import Images, Run
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.text import plain, unique_titles

if TYPE_CHECKING:
    from aquadash.lab.runs import Compared as Results

#: Number of runs that differ in colour, dash and marker.
MAX_RUNS = 10


@dataclass(frozen=True, eq=False)
class Compared:
    """Two to ten runs, their titles and the images of the measurement; results have one entry a run, in order."""

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    images: Images

    def on(self, images: Images) -> Compared:
        """Return the same runs, measured on other images."""
        return replace(self, images=images)

    @cached_property
    def results(self) -> Results:
        """The runs' predictions and scores, and the tests of the pairs."""
        return lab().runs.compare(self.runs, self.images)

    def measured_together(self) -> list[int]:
        """Return the positions of the first run that can be compared with another, and of all those."""
        from aquadash.evaluation import measured_together

        return measured_together(self.results.pairs)

    def damaged(self) -> dict[str, str]:
        """Return the titles of runs whose predictions cannot be read, with the reason."""
        return {name: reason for name, reason in zip(self.names, self.results.errors, strict=True) if reason}


def bold(name: str) -> str:
    """Return a run's name in bold, as markdown."""
    return f"**{plain(shorten(name))}**"


def labels(runs: Sequence[Run]) -> list[str]:
    """Return the runs' names, with the start of the id where two are equal."""
    names = {run.run_id: run.name for run in runs}
    return list(unique_titles(names, lambda run_id, name: f"{name} ({run_id[:8]})").values())
