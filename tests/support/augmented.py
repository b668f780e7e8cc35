"""Images through a pipeline or a branch, as a run draws them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import AugmentationPlan, Branch, PipelineSpec, draw
from aquadash.augment.spec import as_pipeline


def augmented(images: NDArray[np.uint8], spec: PipelineSpec | Branch, *, seed: int) -> NDArray[np.uint8]:
    """One version of each image from each branch, those of a branch together."""
    return draw(images, AugmentationPlan((as_pipeline(spec),)), seed=seed)
