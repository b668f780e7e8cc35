"""The runs that are held beside one another, with what the sections of the comparison read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from aquadash import settings
from aquadash.errors import AquaDashError, NotAllowedError
from aquadash.runs.measured import Images, image_set
from aquadash.runs.types import Predictions, Run
from aquadash.ui.lab import lab

if TYPE_CHECKING:
    from aquadash.evaluation import Evaluation, PairTest
    from aquadash.runs.cost import Cost

#: Colours, dashes and markers tell so many runs apart.
MOST_RUNS = 10


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

    def predictions(self) -> list[Predictions | None]:
        """Of the images; None for a run without any."""
        return [_predictions(settings.place(), run.run_id, run.ended_at, self.images, run) for run in self.runs]

    def evaluations(self) -> list[Evaluation | None]:
        """The scores; None for a run without predictions."""
        return [_evaluation(settings.place(), run.run_id, run.ended_at, self.images, run) for run in self.runs]

    def pairs(self) -> tuple[PairTest, ...]:
        """Each run against each later one."""
        known = tuple((run.run_id, run.ended_at) for run in self.runs)
        return _pairs(settings.place(), known, self.images, self)

    def costs(self) -> list[Cost]:
        """The prices, as far as they are known."""
        return [_cost(settings.place(), run.run_id, run.ended_at, run) for run in self.runs]

    def measured_together(self) -> list[int]:
        """Positions of the runs with predictions of the same images as the first run that has any."""
        found = self.predictions()
        first = next((index for index, each in enumerate(found) if each is not None), None)
        if first is None:
            return []
        pairs = {(test.a, test.b): test for test in self.pairs()}
        return [first] + [index for index in range(first + 1, len(self.runs)) if pairs[first, index].result is not None]


def labels(runs: Sequence[Run]) -> list[str]:
    """The runs' names, told apart by the start of the id where two have the same."""
    names = [run.name for run in runs]
    return [
        name if names.count(name) == 1 else f"{name} ({run.run_id[:8]})" for name, run in zip(names, runs, strict=True)
    ]


def damaged(runs: Sequence[Run], images: Images) -> dict[str, str]:
    """The names of the runs whose predictions cannot be read, with the reason."""
    reasons = ((run.name, _problem(settings.place(), run.run_id, run.ended_at, images, run)) for run in runs)
    return {name: reason for name, reason in reasons if reason}


@st.cache_resource(max_entries=256, show_spinner=False)
def _read(place: str, run_id: str, ended_at: float | None, images: Images, _run: Run) -> tuple[Predictions | None, str]:
    try:
        return lab().runs.predictions_on(run_id, images), ""
    except NotAllowedError:
        # Of this visitor: it is no answer for the others.
        raise
    except AquaDashError as error:
        return None, str(error)


def _predictions(place: str, run_id: str, ended_at: float | None, images: Images, run: Run) -> Predictions | None:
    return _read(place, run_id, ended_at, images, run)[0] if run.status.ended else None


def _problem(place: str, run_id: str, ended_at: float | None, images: Images, run: Run) -> str:
    return _read(place, run_id, ended_at, images, run)[1] if run.status.ended else ""


@st.cache_resource(max_entries=256, show_spinner="Working the figures out ...")
def _evaluation(place: str, run_id: str, ended_at: float | None, images: Images, _run: Run) -> Evaluation | None:
    from aquadash.evaluation import evaluate

    found = _predictions(place, run_id, ended_at, images, _run)
    return None if found is None else evaluate(found.labels, found.probabilities, class_names=_run.class_names)


@st.cache_resource(max_entries=64, show_spinner="Comparing the answers image by image ...")
def _pairs(
    place: str, runs: tuple[tuple[str, float | None], ...], images: Images, _compared: Compared
) -> tuple[PairTest, ...]:
    from aquadash.evaluation import pairwise

    return pairwise(_compared.predictions(), sets=[image_set(run, images) for run in _compared.runs])


@st.cache_resource(max_entries=256, show_spinner=False)
def _cost(place: str, run_id: str, ended_at: float | None, _run: Run) -> Cost:
    return lab().runs.cost(run_id)
