"""Numbers of images that a run will learn from, validate with and be tested on."""

import math
from dataclasses import dataclass

import streamlit as st

from aquadash.augment import plan
from aquadash.config import RunConfig, with_values
from aquadash.data import Dataset
from aquadash.training.prepare import split_positions, visited_images
from aquadash.ui.kit import datasets
from aquadash.ui.kit.text import count


@dataclass(frozen=True)
class Sizes:
    """Numbers of images that a run uses."""

    #: Original training images, without variants.
    training: int
    validation: int
    #: Test images that training never looks at.
    test: int


def sizes(config: RunConfig) -> Sizes:
    """Count the images; raise ``AquaDashError`` where the data set is missing or too small for the split."""
    training = config.training
    dataset = datasets.dataset(config.data.source)
    return _split_sizes(dataset, training.validation, training.validation_fraction, config.seed)


def sentence(config: RunConfig, sizes: Sizes) -> str:
    """Describe the numbers of images in markdown."""
    augmentation = plan(config.augmentation)
    versions = augmentation.factor
    images = sizes.training * versions
    visited = visited_images(config.training, images)
    origin = f" ({sizes.training:,} originals, {versions} versions of each)" if versions > 1 else ""
    fresh = ", new every epoch" if config.augmentation.mode == "fresh" and augmentation.changes else ""
    learned = f"There are **{count(images, 'training image')}**{origin}{fresh}. An epoch shows "
    learned += "each of them once" if visited == images else f"{visited:,} of them, each once"
    learned += f", in {count(math.ceil(visited / config.training.batch_size), 'batch', 'batches')}."
    if config.training.validation == "test":
        decided = config.training.decided_by_validation
        return (
            f"{learned} **{sizes.validation:,}** of the test images {f'decide {decided}' if decided else 'validate'}, "
            f"so only the last **{sizes.test:,}** are unseen when the result is measured."
        )
    return (
        f"{learned} **{sizes.validation:,}** images are held out for validation, **{sizes.test:,}** kept for the test "
        "at the end."
    )


@st.cache_data(max_entries=200, show_spinner=False, hash_funcs=datasets.BY_CONTENT)
def _split_sizes(dataset: Dataset, validation: str, fraction: float, seed: int) -> Sizes:
    values = {"training.validation": validation, "training.validation_fraction": fraction, "seed": seed}
    learnt, held_out = split_positions(with_values(RunConfig(), values), dataset)
    spent = len(held_out) if validation == "test" else 0
    return Sizes(len(learnt), len(held_out), len(dataset.test) - spent)
