"""What the Augment page's sections are given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquadash.augment import Branch, PipelineSpec
from aquadash.data import Dataset


@dataclass(frozen=True, eq=False)
class Studio:
    """What the Augment page looks at.

    Attributes:
        dataset: The data set that is chosen.
        spec: The pipeline as edited, which may differ from the saved one of its name.
        branch: The branch in view, from 0.
        seed: Decides the draws; 0 to 2**32 - 1.
        positions: Of the sample images in the training split; empty for a person's own images.
        images: The sample images, uint8, shape (n, height, width, 3).
        labels: A name for each of them: its class, or the file's name; None where there is none.
    """

    dataset: Dataset
    spec: PipelineSpec
    branch: int
    seed: int
    positions: list[int]
    images: NDArray[np.uint8]
    labels: tuple[str | None, ...]

    @property
    def in_view(self) -> Branch:
        """The branch in view."""
        return self.spec.branches[self.branch]
