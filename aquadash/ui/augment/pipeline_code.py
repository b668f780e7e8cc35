"""The pipeline as Python code, to read, copy and take home."""

from __future__ import annotations

import streamlit as st

from aquadash.augment import PipelineSpec, to_code
from aquadash.ui.augment.pipeline_files import file_stem
from aquadash.ui.augment.studio import Studio


def show(studio: Studio) -> None:
    """Draw the code with a button that downloads it."""
    code = _code(studio.spec)
    st.markdown("The same pipeline as Python: it needs the packages that its first lines name and nothing of AquaDash.")
    st.download_button(
        "Download",
        code,
        file_name=f"{file_stem(studio.spec)}.py",
        mime="text/x-python",
        icon=":material/download:",
        on_click="ignore",
        key="download-code",
    )
    st.code(code, language="python")


@st.cache_data(max_entries=64, show_spinner=False)
def _code(spec: PipelineSpec) -> str:
    return to_code(spec)
