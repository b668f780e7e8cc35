"""The Data page's sections on a split of a data set: its images and its statistics."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash.data import Dataset
from aquadash.figures.channels import channel_histogram
from aquadash.figures.class_counts import class_counts
from aquadash.ui.kit import bound, components, datasets, gallery, inputs
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.tables import Column, number_column, render_columns
from aquadash.ui.kit.text import count, plain

#: Titles of the splits.
SPLITS = {"train": "Training", "test": "Test"}

PER_PAGE = ("10", "20", "50", "100")
#: Maximum number of classes in the row of filters; more are in its popover.
MAX_IN_ROW = 6


def render_numbers(dataset: Dataset, split: str, filters: DeltaGenerator) -> None:
    """Draw counts, channel statistics and the mean image of each class."""
    measured = datasets.statistics(dataset, split)
    left, right = st.columns(2)
    with left:
        counts = {
            title: [entry.count for entry in datasets.statistics(dataset, name).classes]
            for name, title in SPLITS.items()
        }
        components.render_plot(class_counts(counts, class_names=dataset.class_names), key="class-counts")
    with right:
        components.render_plot(
            channel_histogram([channel.histogram for channel in measured.channels]), key="channel-histogram"
        )
    with left:
        st.markdown("**Each colour channel**, 0 is dark and 255 bright", help=term("channel"))
        render_columns(
            Column("Channel", [channel.name for channel in measured.channels]),
            number_column("Mean", [channel.mean for channel in measured.channels], "%.1f"),
            number_column("Spread (standard deviation)", [channel.std for channel in measured.channels], "%.1f"),
            alt="Mean and spread of each colour channel",
        )
    with right:
        st.markdown("**The mean image of each class**: what all its images have in common")
        gallery.render_cards(
            [
                gallery.class_card(
                    entry.mean_image,
                    entry.name,
                    label,
                    f"Mean of {count(entry.count, 'image')} of class {entry.name}: a blur",
                    f"mean brightness {entry.mean_brightness:.0f}",
                )
                for label, entry in enumerate(measured.classes)
                if entry.mean_image is not None
            ],
            size_rem=5,
            label="Mean images",
        )


def render_pictures(dataset: Dataset, split: str, filters: DeltaGenerator) -> None:
    """Draw the images, their filters and the pager."""
    names = list(dataset.class_names)
    in_row = filters.container(width="content")
    more = filters.popover("More", key="more-filters", on_change="rerun")
    chosen = bound.choices(
        "classes",
        {name: plain(title) for name, title in gallery.class_titles(names).items()},
        label="Classes (none means all)",
        label_visibility="collapsed",
        widget=inputs.pills,
        into=in_row if len(names) <= MAX_IN_ROW else more,
        selection_mode="multi",
        on_change=gallery.first_page,
    )
    per_page = bound.menu(
        "show", PER_PAGE, label="Images per page", default="50", into=more, on_change=gallery.first_page
    )
    images = dataset.train if split == "train" else dataset.test
    wanted = [names.index(name) for name in chosen or names]
    positions = np.flatnonzero(np.isin(images.labels, wanted))
    with gallery.paged(len(positions), per_page=int(per_page)) as shown:
        cards = [
            gallery.class_card(
                images.images[i],
                names[label],
                label,
                f"{names[label]}, {SPLITS[split].lower()} image {i}, {images.file_names[i]}",
                f"no. {i}",
                opens=f"{split}-{i}",
            )
            for i, label in zip(positions[shown].tolist(), images.labels[positions[shown]].tolist(), strict=True)
        ]
        gallery.render_cards(cards, label=f"{SPLITS[split]} images")
