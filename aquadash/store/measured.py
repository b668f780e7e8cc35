"""The images that a run was measured on."""

from __future__ import annotations

from typing import Literal, get_args

from aquadash import data
from aquadash.data import Dataset
from aquadash.errors import RunError
from aquadash.store.types import Run

#: Validation images are for choices, test images for the last measurement.
Images = Literal["validation", "test"]
IMAGES: tuple[Images, ...] = get_args(Images)


def image_set(run: Run, images: Images) -> str:
    """Return a key that two runs share if their images come from the same split of the same data."""
    validated = run.config.training.validation if images == "validation" else ""
    return f"{run.dataset_fingerprint}:{images}:{validated}"


def dataset_of(run: Run) -> Dataset:
    """Load the data set of a run; raise ``RunError`` if its images have changed since the training."""
    dataset = data.load(run.config.data.source)
    if run.dataset_fingerprint and dataset.fingerprint != run.dataset_fingerprint:
        raise RunError(
            "The data set has changed since this run was trained, so its test images are others now. Bring the old "
            "data back, or train the run again."
        )
    return dataset
