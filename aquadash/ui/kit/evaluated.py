"""A run with its results for the sections of a page; slow results are cached for all sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.evaluation import (
    Calibration,
    ClassCurves,
    Evaluation,
    Rescaling,
    Score,
    ranking_curves,
    reliability,
    rescale,
    scores,
)
from aquadash.store.types import EpochRecord, Predictions, Run
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.run_lists import BY_RUN

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Narrowed:
    """The test images that a section shows beside its chart."""

    #: bool (n,), by position in the predictions.
    mask: NDArray[np.bool_]
    #: Description of the images: plain text without a full stop.
    words: str


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A run that has ended and predicted the test images."""

    run: Run
    evaluation: Evaluation
    #: Of the test images.
    predictions: Predictions

    @staticmethod
    def load(run: Run) -> Evaluated:
        """Read the results; :class:`RunError` where there are none yet."""
        return Evaluated(run, lab().runs.evaluation(run.run_id), lab().runs.predictions(run.run_id))

    @property
    def history(self) -> Sequence[EpochRecord]:
        """The epochs of the run."""
        return lab().runs.history(self.run.run_id)

    @property
    def validated_on_test(self) -> bool:
        """True if the validation images are test images, as in the report."""
        return self.run.config.training.validation == "test"

    def scores(self) -> dict[str, Score]:
        """Return each metric by name."""
        return self._once("scores", lambda: scores(self.evaluation, self.predictions))

    def curves(self) -> tuple[ClassCurves, ...]:
        """Return the ROC and precision-recall curves of each class against the rest."""
        labels, probabilities = self.predictions.labels, self.predictions.probabilities
        return self._once("curves", lambda: ranking_curves(labels, probabilities, class_names=self.evaluation.classes))

    def calibration(self) -> Calibration:
        """Return the calibration on all test images."""
        return self._once("calibration", lambda: reliability(self.predictions.labels, self.predictions.probabilities))

    def rescaling(self) -> Rescaling | None:
        """Return the calibration with a temperature; None without validation predictions to fit it on."""
        if (validation := lab().runs.validation_predictions(self.run.run_id)) is None:
            return None
        on_test = self.validated_on_test
        return self._once("rescaling", lambda: rescale(self.predictions, validation, validated_on_test=on_test))

    def _once(self, name: str, work: Callable[[], T]) -> T:
        result: T = _worked_out(self.run, name, work)
        return result


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=BY_RUN)
def _worked_out(run: Run, name: str, _work: Callable[[], Any]) -> Any:
    """Return the result of ``_work``, cached by run and name."""
    return _work()
