"""The state of the Augment page that its sections share; results are cached by their content."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import augment
from aquadash.augment import Branch, PipelineSpec
from aquadash.augment.numbers import BranchNumbers
from aquadash.data import Dataset
from aquadash.predict import remote

#: Number of training images to measure: fractions are then exact to a few per cent.
MEASURED = 200


#: The hash of a studio for Streamlit's caches.
_BY_CONTENT: dict[str | type, Callable[[Any], object]] = {
    "aquadash.ui.augment.studio.Studio": lambda studio: (repr(studio.spec.branches), studio.pictures(), studio.seed)
}


@dataclass(frozen=True, eq=False)
class Studio:
    """The data, the pipeline and the images that the sections of the Augment page work on."""

    #: The chosen data set.
    dataset: Dataset
    #: The pipeline with unsaved changes.
    spec: PipelineSpec
    #: Index of the selected branch.
    branch: int
    #: Seed of the draws, 0 to 2**32 - 1.
    seed: int
    #: Indices of the sample images in the training split; empty for a person's own.
    positions: list[int]
    #: The sample images, uint8, shape (n, height, width, 3).
    images: NDArray[np.uint8]
    #: The class or file name of each sample image, or None.
    labels: tuple[str | None, ...]

    @property
    def in_view(self) -> Branch:
        """Return the selected branch."""
        return self.spec.branches[self.branch]

    @st.cache_data(max_entries=64, show_spinner="Drawing the variants ...", hash_funcs=_BY_CONTENT)
    def draws(self, *, branch: int | None, draws: int, alike: bool = False) -> NDArray[np.uint8]:
        """Return uint8 (draws, n, height, width, 3); branch None uses all, ``alike`` gives images the same choices."""
        preview = partial(augment.preview, self.images, pipeline=self.spec, seed=self.seed)
        return remote.call(preview, branch=branch, draws=draws, alike=alike)

    @st.cache_data(max_entries=64, show_spinner="Drawing the steps ...", hash_funcs=_BY_CONTENT)
    def film_strip(self, branch: int) -> NDArray[np.uint8]:
        """Return uint8 (steps + 1, n, height, width, 3): the images before and after each step."""
        return remote.call(augment.film_strip, self.images, pipeline=self.spec, branch=branch, seed=self.seed)

    def numbers(self, branch: int) -> BranchNumbers:
        """Measure a branch on :data:`MEASURED` training images, or on a person's own."""
        pictures = self.dataset.fingerprint if self.positions else self.pictures()
        return _numbers(repr(self.spec.branches[branch]), pictures, branch, self.seed, self)

    def pictures(self) -> str:
        """Return a hash of the sample images (STREAMLIT.md, "Caches")."""
        return f"{self.images.shape} {hashlib.sha256(self.images.tobytes()).hexdigest()}"


@st.cache_data(max_entries=128, show_spinner=False)
def _numbers(steps: str, pictures: str, branch: int, seed: int, _studio: Studio) -> BranchNumbers:
    images = _studio.images
    if _studio.positions:
        train = _studio.dataset.train.images
        chosen = np.random.default_rng(0).choice(len(train), size=min(MEASURED, len(train)), replace=False)
        images = train[np.sort(chosen)]
    return remote.call(augment.measure, images, _studio.spec, branch=branch, seed=seed)[0]
