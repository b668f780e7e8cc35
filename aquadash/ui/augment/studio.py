"""The Augment page's frame: what its views are given, and the table of the views."""

from __future__ import annotations

import importlib
from collections.abc import Callable
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


@dataclass(frozen=True)
class Section:
    """A view of the Augment page, drawn only while it is looked at.

    Attributes:
        title: On its button.
        module: Within ``aquadash.ui.augment``; imported when the section is drawn.
        function: Its name in the module; called with a :class:`Studio`.
        samples: Whether it looks at the sample images and their draws; without, the studio has none and seed 0.
    """

    title: str
    module: str
    function: str = "show"
    samples: bool = True

    def draw(self, studio: Studio) -> None:
        """Draw the view."""
        module = importlib.import_module(f"aquadash.ui.augment.{self.module}")
        function: Callable[[Studio], None] = getattr(module, self.function)
        function(studio)


#: The views by their word in the address, the first the default. A new one is a line here.
SECTIONS: dict[str, Section] = {
    "preview": Section("👀 Preview", "augment_preview"),
    "numbers": Section("🔢 Numbers", "augment_numbers"),
    "label-safety": Section("🛟 Label safety", "label_safety"),
    "paired-runs": Section("👯 Paired runs", "paired_runs", "launch", samples=False),
    "catalogue": Section("📚 Catalogue", "operator_catalogue", samples=False),
    "code": Section("🐍 Code", "pipeline_code", samples=False),
}
