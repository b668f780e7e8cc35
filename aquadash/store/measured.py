"""The images that a run was measured on."""

from __future__ import annotations

from typing import Literal, get_args

from aquadash.store.types import Run

#: Validation images are for choices, test images for the last measurement.
Images = Literal["validation", "test"]
IMAGES: tuple[Images, ...] = get_args(Images)


def image_set(run: Run, images: Images) -> str:
    """Return a key that two runs share if their images come from the same split of the same data."""
    validated = run.config.training.validation if images == "validation" else ""
    return f"{run.dataset_fingerprint}:{images}:{validated}"
