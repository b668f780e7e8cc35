"""Data: the images that a network learns from."""

import streamlit as st

from aquadash import data
from aquadash.data import Dataset
from aquadash.lab.rights import Action
from aquadash.ui.data import dataset_views, own_pictures, own_pictures_set
from aquadash.ui.kit import bound, components, datasets, gallery, image_dialog, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.kit.text import plain

SECTIONS = Sections(
    "view",
    "Show",
    {
        "pictures": Section("Pictures", dataset_views.render_pictures),
        "numbers": Section("Numbers", dataset_views.render_numbers),
    },
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
    """Offer the download of the real photographs, or say who can start it."""
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
        split = bound.choice(
            "split", dataset_views.SPLITS, label="Split", label_visibility="collapsed", on_change=gallery.first_page
        )
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
    own_pictures_set.render_own_set(source)
    _images(dataset)
