"""The data set that a run was trained with."""

from __future__ import annotations

from aquadash import data
from aquadash.data import Dataset
from aquadash.errors import RunError
from aquadash.runs.types import Run


def dataset_of(run: Run) -> Dataset:
    """Load the data set of a run, to compare with what the run has measured on it.

    Raises:
        RunError: It is another one by now.
        DataError: It is missing or damaged.
    """
    dataset = data.load(run.config.data.source)
    if run.dataset_fingerprint and dataset.fingerprint != run.dataset_fingerprint:
        raise RunError(
            "The data set has changed since this run was trained, so its test images are others now. Bring the old "
            "data back, or train the run again."
        )
    return dataset
