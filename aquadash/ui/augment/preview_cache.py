"""What the Augment page's views show, kept for a while: a click that changes nothing about it draws nothing anew."""

from __future__ import annotations

import hashlib
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash import augment
from aquadash.augment import PipelineSpec
from aquadash.augment.numbers import BranchNumbers
from aquadash.ui.augment.studio import Studio

#: Training images that the figures are measured on: enough for shares to a few per cent.
MEASURED = 200


def draws(studio: Studio, *, branch: int | None, draws: int, alike: bool = False) -> NDArray[np.uint8]:
    """Draws of the studio's images, uint8 (draws, n, height, width, 3).

    Args:
        studio: The pipeline, the images and the seed.
        branch: Which of the pipeline's branches; None goes round those that change the images.
        draws: How many.
        alike: All images get the same random choices.
    """
    way: Literal["alike", "apart"] = "alike" if alike else "apart"
    return _draws(*_key(studio), way, branch, studio.seed, draws, studio.spec, studio.images)


def film_strip(studio: Studio) -> NDArray[np.uint8]:
    """The images before and after each step of the branch in view, uint8 (steps + 1, n, height, width, 3)."""
    return _film_strip(*_key(studio), studio.branch, studio.seed, studio.spec, studio.images)


def numbers(studio: Studio, branch: int) -> BranchNumbers:
    """The figures of one branch, measured on :data:`MEASURED` training images, or on a person's own."""
    steps = repr(studio.spec.branches[branch])
    pictures = studio.dataset.fingerprint if studio.positions else _key(studio)[1]
    return _numbers(steps, pictures, branch, studio.seed, studio)


def _key(studio: Studio) -> tuple[str, str]:
    """What stands for the pipeline and for the images. Streamlit hashes of a large array only a sample."""
    digest = hashlib.sha256(studio.images.tobytes()).hexdigest()
    return repr(studio.spec.branches), f"{studio.images.shape} {digest}"


@st.cache_data(max_entries=64, show_spinner="Drawing the variants ...")
def _draws(
    steps: str,
    pictures: str,
    way: Literal["alike", "apart"],
    branch: int | None,
    seed: int,
    draws: int,
    _spec: PipelineSpec,
    _images: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    if way == "alike":
        return augment.same_draw(_images, pipeline=_spec, branch=branch or 0, seed=seed, draws=draws)
    return augment.preview(_images, pipeline=_spec, branch=branch, seed=seed, draws=draws)


@st.cache_data(max_entries=64, show_spinner="Drawing the steps ...")
def _film_strip(
    steps: str, pictures: str, branch: int, seed: int, _spec: PipelineSpec, _images: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    return augment.film_strip(_images, pipeline=_spec, branch=branch, seed=seed)


@st.cache_data(max_entries=128, show_spinner=False)
def _numbers(steps: str, pictures: str, branch: int, seed: int, _studio: Studio) -> BranchNumbers:
    images = _studio.images
    if _studio.positions:
        train = _studio.dataset.train.images
        chosen = np.random.default_rng(0).choice(len(train), size=min(MEASURED, len(train)), replace=False)
        images = train[np.sort(chosen)]
    return augment.measure(images, _studio.spec, branch=branch, seed=seed).branches[0]
