"""A run with its results, as sections of pages take it; what costs time is worked out once for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.evaluation import (
    Calibration,
    ClassCurves,
    ClassIntervals,
    Evaluation,
    Rescaling,
    Score,
    class_intervals,
    ranking_curves,
    reliability,
    rescale,
    scores,
)
from aquadash.store.types import EpochRecord, Predictions, Run
from aquadash.ui.lab import lab
from aquadash.ui.run_lists import BY_RUN

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Narrowed:
    """Which test images a section shows beside its chart."""

    #: bool (n,), by position in the predictions.
    mask: NDArray[np.bool_]
    #: What they are, plain text without a full stop; markdown in it is escaped.
    words: str


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A run that has ended and predicted the test images."""

    run: Run
    found: Evaluation
    #: Of the test images.
    predictions: Predictions

    @staticmethod
    def load(run: Run) -> Evaluated:
        """Read the results.

        Raises:
            RunError: There are none yet.
        """
        return Evaluated(run, lab().runs.evaluation(run.run_id), lab().runs.predictions(run.run_id))

    @property
    def history(self) -> list[EpochRecord]:
        """Its epochs."""
        return lab().runs.history(self.run.run_id)

    @property
    def validation(self) -> Predictions | None:
        """What the run says of its validation images; None where it kept none."""
        return lab().runs.validation_predictions(self.run.run_id)

    @property
    def validated_on_test(self) -> bool:
        """True if the validation images are test images, as in the report's way."""
        return self.run.config.training.validation == "test"

    def intervals(self) -> tuple[ClassIntervals, ...]:
        """Of each class's scores."""
        names = self.found.classes
        return self._once("intervals", lambda: class_intervals(self.found.confusion_matrix, class_names=names))

    def scores(self) -> dict[str, Score]:
        """Each metric by name."""
        return self._once("scores", lambda: scores(self.found, self.predictions))

    def curves(self) -> tuple[ClassCurves, ...]:
        """Return the ROC and precision-recall curves of each class against the rest."""
        labels, probabilities = self.predictions.labels, self.predictions.probabilities
        return self._once("curves", lambda: ranking_curves(labels, probabilities, class_names=self.found.classes))

    def calibration(self) -> Calibration:
        """Of all test images."""
        return self._once("calibration", lambda: reliability(self.predictions.labels, self.predictions.probabilities))

    def rescaling(self) -> Rescaling | None:
        """With a temperature; None where there are no validation predictions to fit it on."""
        validation = self.validation
        if validation is None:
            return None
        on_test = self.validated_on_test
        return self._once("rescaling", lambda: rescale(self.predictions, validation, validated_on_test=on_test))

    def _once(self, name: str, work: Callable[[], T]) -> T:
        result: T = _worked_out(self.run, name, work)
        return result


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=BY_RUN)
def _worked_out(run: Run, name: str, _work: Callable[[], Any]) -> Any:
    """The result of ``_work``, which the other arguments name."""
    return _work()
