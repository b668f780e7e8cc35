"""Augment: random changes that make more out of the training images, built and looked at."""

import secrets

import streamlit as st

from aquadash.augment import PipelineSpec
from aquadash.ui.augment import (
    augment_numbers,
    augment_preview,
    builder,
    builder_state,
    label_safety,
    operator_catalogue,
    paired_runs,
    pipeline_bar,
    studio_images,
)
from aquadash.ui.augment.studio import Studio
from aquadash.ui.kit import address, bound, datasets, image_dialog, inputs, shell
from aquadash.ui.kit.glossary import term
from aquadash.ui.kit.lab import lab
from aquadash.ui.kit.sections import Section, Sections
from aquadash.ui.kit.text import plain

SECTIONS = Sections(
    "view",
    "Details",
    {
        "preview": Section("👀 Preview", lambda studio: None),  # Drawn beside the steps, with nothing below.
        "numbers": Section("🔢 Numbers", augment_numbers.render),
        "label-safety": Section("🛟 Label safety", label_safety.render),
        "paired-runs": Section("👯 Does it help?", paired_runs.launch),
        "catalogue": Section("📚 Catalogue", operator_catalogue.render),
        "code": Section("🐍 Code", pipeline_bar.code),
    },
)
_INSTEAD = ("preview", "catalogue")
_BELOW = "view-below"


def render() -> None:
    """Draw the page."""
    with shell.page("augment"):
        library = lab().pipelines.all()
        builder_state.restore(library)
        pipeline_bar.render(library)
        state = builder_state.history().present
        with st.container(key="in-order"):
            left, right = st.columns([2, 5], gap="medium")
            with left, st.container(key="studio-steps"):
                branch = builder.choose_version(state.spec)
                builder.render_steps(state.spec, branch)
            with right, st.container(key="studio-view"):
                studio = None
                if datasets.here(datasets.current()):
                    studio = _beside_steps(state.spec, branch)
                else:
                    studio_images.keep()
            if studio is not None:
                _below(studio)
                image_dialog.clickable(source=studio.dataset.name)


def _beside_steps(spec: PipelineSpec, branch: int) -> Studio:
    dataset = datasets.dataset(datasets.current())
    view = address.sync(SECTIONS.name, bound.one_of(SECTIONS.table), default="preview")
    if view == "catalogue":
        studio_images.keep()
        studio = Studio(dataset, spec, branch, 0, [], dataset.train.images[:0], ())
        SECTIONS.table[view].render(studio)
        return studio
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        look = augment_preview.LOOKS.choose_word(label_visibility="collapsed", wrap=True)
        st.button(
            "Redraw",
            icon="🎲",
            key="new-draws",
            help="Draws new random changes with another seed.",
            on_click=lambda: address.assign("seed", secrets.randbelow(10_000)),
        )
        options = st.popover("Options", key="studio-options", on_change="rerun")
    seed = bound.number("seed", 0, 2**32 - 1, label="Seed", default=0, help=term("seed"), into=options)
    images, labels, positions = studio_images.choose(dataset, options)
    studio = Studio(dataset, spec, branch, seed, positions, images, labels)
    augment_preview.LOOKS.table[look].render(studio, options)
    total = len(dataset.train)
    summary = plain(builder_state.summary_now(spec))
    st.caption(
        f"{total:,} training images × {spec.factor} = {total * spec.factor:,}",
        help=f"{summary}\n\nValidation and test images are never changed.",
    )
    return studio


def _below(studio: Studio) -> None:
    view = st.session_state[SECTIONS.name]
    titles = {word: section.title for word, section in SECTIONS.table.items() if word not in _INSTEAD}
    st.session_state[_BELOW] = view if view in titles else None
    inputs.segmented_control(
        SECTIONS.label,
        list(titles),
        key=_BELOW,
        format_func=titles.__getitem__,
        label_visibility="collapsed",
        on_change=lambda: address.assign(SECTIONS.name, st.session_state[_BELOW] or "preview"),
    )
    if view in titles:
        SECTIONS.table[view].render(studio)
