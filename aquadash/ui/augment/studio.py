"""What the Augment page's sections are given, and what is drawn of it.

What was drawn is kept for a while: a click that changes nothing about it draws nothing anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec
from aquadash.augment.numbers import BranchNumbers
from aquadash.data import Dataset

#: Training images that the figures are measured on: enough for shares to a few per cent.
MEASURED = 200


@dataclass(frozen=True, eq=False)
class Studio:
    """What the Augment page looks at."""

    #: The data set that is chosen.
    dataset: Dataset
    #: The pipeline as edited, which may differ from the saved one of its name.
    spec: PipelineSpec
    #: The branch in view, from 0.
    branch: int
    #: Decides the draws; 0 to 2**32 - 1.
    seed: int
    #: Of the sample images in the training split; empty for a person's own images.
    positions: list[int]
    #: The sample images, uint8, shape (n, height, width, 3).
    images: NDArray[np.uint8]
    #: A name for each of them: its class, or the file's name; None where there is none.
    labels: tuple[str | None, ...]

    @property
    def in_view(self) -> Branch:
        """The branch in view."""
        return self.spec.branches[self.branch]

    def draws(self, *, branch: int | None, draws: int, alike: bool = False) -> NDArray[np.uint8]:
        """Draws of the images, uint8 (draws, n, height, width, 3).

        Args:
            branch: Which of the pipeline's branches; None goes round those that change the images.
            draws: How many.
            alike: All images get the same random choices.
        """
        return _draws(self, branch, draws, alike)

    def film_strip(self) -> NDArray[np.uint8]:
        """The images before and after each step of the branch in view, uint8 (steps + 1, n, height, width, 3)."""
        return _film_strip(self, self.branch)

    def numbers(self, branch: int) -> BranchNumbers:
        """The figures of one branch, measured on :data:`MEASURED` training images, or on a person's own."""
        pictures = self.dataset.fingerprint if self.positions else self.pictures()
        return _numbers(repr(self.spec.branches[branch]), pictures, branch, self.seed, self)

    def pictures(self) -> str:
        """What stands for the sample images. Streamlit hashes of a large array only a sample."""
        return f"{self.images.shape} {hashlib.sha256(self.images.tobytes()).hexdigest()}"


#: What the draws of a studio depend on.
_BY_CONTENT: dict[str | type, Callable[[Any], object]] = {
    Studio: lambda studio: (repr(studio.spec.branches), studio.pictures(), studio.seed)
}


@st.cache_data(max_entries=64, show_spinner="Drawing the variants ...", hash_funcs=_BY_CONTENT)
def _draws(studio: Studio, branch: int | None, draws: int, alike: bool) -> NDArray[np.uint8]:
    return augment.preview(
        studio.images, pipeline=studio.spec, branch=branch, seed=studio.seed, draws=draws, alike=alike
    )


@st.cache_data(max_entries=64, show_spinner="Drawing the steps ...", hash_funcs=_BY_CONTENT)
def _film_strip(studio: Studio, branch: int) -> NDArray[np.uint8]:
    return augment.film_strip(studio.images, pipeline=studio.spec, branch=branch, seed=studio.seed)


@st.cache_data(max_entries=128, show_spinner=False)
def _numbers(steps: str, pictures: str, branch: int, seed: int, _studio: Studio) -> BranchNumbers:
    images = _studio.images
    if _studio.positions:
        train = _studio.dataset.train.images
        chosen = np.random.default_rng(0).choice(len(train), size=min(MEASURED, len(train)), replace=False)
        images = train[np.sort(chosen)]
    return augment.measure(images, _studio.spec, branch=branch, seed=seed).branches[0]
