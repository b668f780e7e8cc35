"""The Augment page's sections, and what they share: the data set, the sample images and the seed."""

from __future__ import annotations

import secrets

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from aquadash.augment import PipelineSpec
from aquadash.ui import address, bound, datasets
from aquadash.ui.augment import (
    augment_numbers,
    augment_preview,
    label_safety,
    operator_catalogue,
    paired_runs,
    pipeline_bar,
    studio_images,
)
from aquadash.ui.augment.studio import Studio
from aquadash.ui.glossary import term
from aquadash.ui.sections import Need, Section, Sections

SEEDS = 2**32

SECTIONS = Sections(
    "view",
    "Views",
    {
        "preview": Section("👀 Preview", augment_preview.show, needs=Need.SAMPLES),
        "numbers": Section("🔢 Numbers", augment_numbers.show, needs=Need.SAMPLES),
        "label-safety": Section("🛟 Label safety", label_safety.show, needs=Need.SAMPLES),
        "paired-runs": Section("👯 Paired runs", paired_runs.launch),
        "catalogue": Section("📚 Catalogue", operator_catalogue.show),
        "code": Section("🐍 Code", pipeline_bar.code),
    },
)


def show(spec: PipelineSpec, branch: int) -> None:
    """Draw the controls that the sections share, and the section that is looked at.

    Args:
        spec: The pipeline as edited.
        branch: The branch in view, from 0.
    """
    dataset = datasets.dataset(datasets.current())
    total = len(dataset.train)
    st.markdown(
        f"**{total:,} training images × {spec.factor} = {total * spec.factor:,}.** A run that holds some of them back "
        "for validation makes variants of the rest only. Validation and test images are never changed."
    )
    section = SECTIONS.choose()
    seed = 0
    positions: list[int] = []
    images: NDArray[np.uint8] = dataset.train.images[:0]
    labels: tuple[str | None, ...] = ()
    if Need.SAMPLES in section.needs:
        seed = _seed()
        images, labels, positions = studio_images.choose(dataset)
    section.show(Studio(dataset, spec, branch, seed, positions, images, labels))


def _seed() -> int:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = bound.number("seed", 0, SEEDS - 1, label="Seed", default=0, help=term("seed"), width=180)
        st.button(
            "New draws",
            icon="🎲",
            key="new-draws",
            type="primary",
            help="Takes another seed, and with it other random changes.",
            on_click=lambda: address.assign("seed", secrets.randbelow(10_000)),
        )
    return seed
