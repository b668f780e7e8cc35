"""Data: the images that a network learns from."""

from __future__ import annotations

import streamlit as st

from aquadash import data
from aquadash.data import Dataset
from aquadash.lab.rights import Action
from aquadash.ui import bound, datasets, gallery, image_dialog, shell
from aquadash.ui.data import dataset_views, own_pictures, own_pictures_set
from aquadash.ui.glossary import term
from aquadash.ui.lab import lab
from aquadash.ui.text import plain


def offer_download() -> None:
    """What to do about real photographs that are not on this computer yet."""
    may = lab().rights.allow(Action.ADD_FOR_ALL)
    st.info(
        "CIFAR-100 is not on this computer yet. It is a free collection of small photographs (169 MB), downloaded once "
        f"from the University of Toronto{'' if may else ' by the teacher'}. Or look at the drawn animals above, which "
        "need no download.",
        icon="📦",
    )
    if not may:
        return
    if st.button("Download CIFAR-100", type="primary", icon=":material/download:", key="download"):
        bar = st.progress(0.0, text="Starting ...")

        def show(text: str, fraction: float | None) -> None:
            bar.progress(min(fraction or 0.0, 1.0), text=plain(text))

        with shell.guard():
            lab().data.fetch(show)
            st.rerun()
        bar.empty()


def overview(dataset: Dataset) -> None:
    """Sizes, origin, counts by class."""
    height, width, _ = dataset.image_shape
    with st.container(horizontal=True):
        st.metric("Training images", f"{len(dataset.train):,}", help=term("split"), border=True)
        st.metric("Test images", f"{len(dataset.test):,}", help=term("test set"), border=True)
        st.metric("Classes", len(dataset.class_names), border=True)
        st.metric("Size in pixels", f"{width} × {height}", border=True)
        st.metric("Fingerprint", dataset.fingerprint[:8], help=term("fingerprint"), border=True)
    kind = "🖍️ **Drawn**, not photographed." if dataset.drawn else "📷 **Photographs.**"
    st.markdown(f"{kind} {plain(dataset.origin)}")


def look_at(dataset: Dataset) -> None:
    """The pictures and numbers of a split."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        section = dataset_views.SECTIONS.choose()
        split = bound.choice(
            "split", dataset_views.SPLITS, label="Split", help=term("split"), on_change=gallery.first_page
        )
    section.show(dataset, split)
    image_dialog.clickable(source=dataset.name)


def data_sets() -> None:
    """The chosen data set, and the way to add one."""
    own_pictures_set.offer_undo()
    source = datasets.current()
    st.caption(plain(data.SOURCES[source].summary))
    with st.container(horizontal=True):
        own_pictures.offer()
        own_pictures_set.deleted_menu()
    if not data.is_here(source):
        offer_download()
        return
    dataset = datasets.dataset(source)
    overview(dataset)
    own_pictures_set.render_own_set(source)
    look_at(dataset)


with shell.page("data"):
    # No st.stop() here: it would keep the values of widgets that are no longer drawn, and the browser forget them.
    if own_pictures.is_open():
        own_pictures.add_pictures()
    else:
        data_sets()
