"""Which pipeline is being built, what was done to it, and where it is kept: choose, undo, save, import, export."""

from __future__ import annotations

import streamlit as st

from aquadash.augment import Library, PipelineSpec
from aquadash.ui import inputs
from aquadash.ui.augment import builder_state, pipeline_files
from aquadash.ui.glossary import term
from aquadash.ui.text import count, plain
from aquadash.ui.train import clone


def show(library: Library) -> None:
    """Draw the bar; call after :func:`aquadash.ui.augment.builder_state.restore`."""
    builder_state.show_failure()
    pipeline_files.undo_bar()
    _damaged(library)
    state = builder_state.history().present

    def title(name: str) -> str:
        return f"{library.pipelines[name].title}{' · saved' if name in library.saved else ''}"

    with st.container(horizontal=True, vertical_alignment="bottom"):
        inputs.selectbox(
            "Pipeline",
            list(library.pipelines),
            key="pipeline",
            format_func=title,
            help=f"{term('pipeline')} Changes make a draft; the pipeline itself stays as it is until you save.",
            on_change=builder_state.choose,
            width="stretch",
        )
        _history_buttons()
        pipeline_files.show(state, saved=state.base in library.saved)
    _status(library, state.spec)


def _history_buttons() -> None:
    held = builder_state.history()
    st.button(
        f"Undo ({len(held.past)})",
        icon=":material/undo:",
        key="undo",
        disabled=not held.past,
        on_click=builder_state.undo,
    )
    st.button(
        f"Redo ({len(held.future)})",
        icon=":material/redo:",
        key="redo",
        disabled=not held.future,
        on_click=builder_state.redo,
    )


def _status(library: Library, spec: PipelineSpec) -> None:
    """Whether there are unsaved changes, and where they are."""
    if not builder_state.changed():
        name = builder_state.history().present.base
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(spec.summary), width="stretch")
            st.page_link(
                "pages/train.py",
                label="Train with it",
                icon=":material/arrow_forward:",
                help="Chooses this pipeline in the Train form; the other settings stay.",
                query_params=clone.address(None, {"augmentation.pipeline": name}),
                width="content",
            )
        return
    base = library.pipelines[builder_state.history().present.base]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge("unsaved changes", icon="✏️", color="orange")
        if builder_state.fits_the_address():
            text = (
                f"Started from “{plain(base.title)}”. The address holds the draft: a reload or a copied link keeps it."
            )
        else:
            text = (
                f"Started from “{plain(base.title)}”. The draft is too long for the address: save or export it, or a "
                "reload of the page loses it."
            )
        st.caption(text, width="stretch")
        st.button(
            "Discard",
            icon=":material/restart_alt:",
            key="discard",
            type="tertiary",
            help=f"Back to “{plain(base.title)}” as it is; undo brings the draft back.",
            on_click=builder_state.discard,
        )


def _damaged(library: Library) -> None:
    if not library.damaged:
        return
    lines = "\n".join(f"- {plain(name)}: {plain(reason)}" for name, reason in library.damaged.items())
    with st.expander(f"{count(len(library.damaged), 'saved pipeline')} cannot be read", icon="🚧"):
        st.markdown(f"{lines}\n\nThe files are left as they are, in `pipelines` in AquaDash's folder.")
