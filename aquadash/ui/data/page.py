"""Data: the images that a network learns from."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aquadash import data
from aquadash.data import Dataset
from aquadash.figures.channels import channel_histogram
from aquadash.figures.class_counts import class_counts
from aquadash.lab.rights import Action
from aquadash.ui.data import own_pictures
from aquadash.ui.kit import bound, components, datasets, gallery, image_dialog, inputs, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
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


SECTIONS = Sections(
    "view", "Show", {"pictures": Section("Pictures", render_pictures), "numbers": Section("Numbers", render_numbers)}
)


def render() -> None:
    """Draw the page."""
    with shell.page("data"):
        # No st.stop() here: the server would keep the values of hidden widgets while the browser forgets them.
        if "add" in st.query_params:
            own_pictures.render_import()
        else:
            with st.container(key="in-order-narrow"):
                _data_set()


def _offer_download() -> None:
    may = lab().rights.allow(Action.ADD_FOR_ALL)
    st.info(
        "CIFAR-100 is not on this computer yet. Its small photographs (169 MB) are downloaded once from the University "
        f"of Toronto{'' if may else ' by the teacher'}. Or choose another data set in the sidebar.",
        icon="📦",
    )
    if not may:
        return
    if st.button("Download CIFAR-100", type="primary", icon=":material/download:", key="download"):
        running = st.empty()
        with running:
            show = components.render_work_progress()
        with shell.guard():
            lab().data.fetch(show)
            st.rerun()
        running.empty()


def _overview(dataset: Dataset) -> None:
    height, width, _ = dataset.image_shape
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"{'🖍️ Drawn' if dataset.drawn else '📷 Photographs'} · **{len(dataset.train):,}** training images · "
            f"**{len(dataset.test):,}** test images · **{len(dataset.class_names)}** classes · "
            f"**{width} × {height}** pixels",
            help=f"{plain(dataset.origin)} Fingerprint {dataset.fingerprint[:8]}: {term('fingerprint')}",
            width="stretch",
        )
        own_pictures.render_button()


def _images(dataset: Dataset) -> None:
    filters = st.container(horizontal=True, vertical_alignment="center")
    with filters:
        section = SECTIONS.choose()
        split = bound.choice("split", SPLITS, label="Split", label_visibility="collapsed", on_change=gallery.first_page)
    with st.container(key="in-order"):
        section.render(dataset, split, filters)
    image_dialog.clickable(source=dataset.name)


def _data_set() -> None:
    source = datasets.current()
    if not data.is_here(source):
        own_pictures.render_button()
        _offer_download()
        return
    dataset = datasets.dataset(source)
    _overview(dataset)
    own_pictures.render_own_set(source)
    _images(dataset)
