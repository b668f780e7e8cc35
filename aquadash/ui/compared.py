"""The runs that are held beside one another, with what the sections of the comparison read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from aquadash.errors import AquaDashError, NotAllowedError
from aquadash.runs.measured import Images, image_set
from aquadash.runs.types import Predictions, Run
from aquadash.ui.lab import lab
from aquadash.ui.run_lists import BY_RUN

if TYPE_CHECKING:
    from aquadash.evaluation import Evaluation, PairTest
    from aquadash.runs.cost import Cost

#: Colours, dashes and markers tell so many runs apart.
MAX_RUNS = 10


@dataclass(frozen=True, eq=False)
class Compared:
    """Two to ten runs. What of them is read has one entry a run, in their order, so that a run keeps its colour.

    Attributes:
        runs: The runs.
        names: What to call them.
        images: What they are measured on.
    """

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    images: Images

    def on(self, images: Images) -> Compared:
        """The same runs, measured on other images."""
        return replace(self, images=images)

    def predictions(self) -> list[Predictions | None]:
        """Of the images; None for a run without any."""
        return [_predictions(run, self.images) for run in self.runs]

    def evaluations(self) -> list[Evaluation | None]:
        """The scores; None for a run without predictions."""
        found = zip(self.runs, self.predictions(), strict=True)
        return [None if said is None else _evaluation(run, self.images) for run, said in found]

    def pairs(self) -> tuple[PairTest, ...]:
        """Each run against each later one."""
        # Predictions that could not be read may be put back, which changes nothing of a run.
        return _pairs(self.runs, self.images, tuple(said is not None for said in self.predictions()))

    def costs(self) -> list[Cost]:
        """The prices, as far as they are known; that of a run at work grows."""
        return [lab().runs.cost(run.run_id) for run in self.runs]

    def measured_together(self) -> list[int]:
        """Positions of the first run that can be compared with another, and of all that can be compared with it."""
        from aquadash.evaluation import measured_together

        return measured_together(self.pairs())


def labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names, told apart by the start of the id where two have the same."""
    names = [run.name for run in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({run.run_id[:8]})" for name, run in zip(names, runs, strict=True)
    ]


def damaged(runs: Sequence[Run], images: Images) -> dict[str, str]:
    """The names of the runs whose predictions cannot be read, with the reason."""
    reasons = ((run.name, _read(run, images)[1]) for run in runs if run.status.ended)
    return {name: reason for name, reason in reasons if reason}


def _read(run: Run, images: Images) -> tuple[Predictions | None, str]:
    """The predictions, or None and why they cannot be read."""
    try:
        return lab().runs.predictions_on(run.run_id, images), ""
    except NotAllowedError:
        # Of this visitor: what is kept below is for the others, too.
        raise
    except AquaDashError as error:
        return None, str(error)


def _predictions(run: Run, images: Images) -> Predictions | None:
    return _read(run, images)[0] if run.status.ended else None


def _evaluation(run: Run, images: Images) -> Evaluation | None:
    try:
        return lab().runs.evaluation(run.run_id, images)
    except NotAllowedError:
        raise
    except AquaDashError:
        # Somebody has resumed it since its predictions were read.
        return None


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=BY_RUN)
def _pairs(runs: tuple[Run, ...], images: Images, there: tuple[bool, ...]) -> tuple[PairTest, ...]:
    from aquadash.evaluation import pairwise

    return pairwise([_predictions(run, images) for run in runs], sets=[image_set(run, images) for run in runs])
