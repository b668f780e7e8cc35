"""Augment: random changes that make more out of the training images, built and looked at."""

from __future__ import annotations

import streamlit as st

from aquadash.ui import datasets, image_dialog, shell
from aquadash.ui.augment import builder, builder_state, pipeline_bar, studio_frame, studio_images
from aquadash.ui.lab import lab

with shell.page("augment"):
    library = lab().pipelines.all()
    builder_state.restore(library)
    pipeline_bar.show(library)
    state = builder_state.history().present
    with st.container(key="in-order"):
        left, right = st.columns([2, 5], gap="medium")
        with left, st.container(key="studio-steps"):
            branch = builder.choose_version(state.spec)
            builder.render_steps(state.spec, branch)
        with right, st.container(key="studio-view"):
            studio = None
            if datasets.here(datasets.current()):
                studio = studio_frame.beside_steps(state.spec, branch)
            else:
                studio_images.keep()
        if studio is not None:
            studio_frame.below(studio)
            image_dialog.clickable(source=studio.dataset.name)
