"""Opens one view of the Augment page without the page, for the tests of views."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.lab import memory


def open_view(module: str, function: str, *, pipeline: str = "notebook-1", branch: int = 0, **address: str) -> AppTest:
    """Draw ``aquadash.ui.augment.MODULE.FUNCTION`` for a pipeline and the first training images of each class."""
    memory.refresh()
    app = AppTest.from_string(_SCRIPT, default_timeout=120)
    app.session_state["test:view"] = (module, function, pipeline, branch)
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that stands alone knows no other page to link to."""
    monkeypatch.setattr(st, "page_link", lambda page, *, label, **options: st.caption(f"{label} ({page})"))


_SCRIPT = """
import importlib
import streamlit as st
from aquadash import augment
from aquadash.ui import datasets
from aquadash.ui.augment.studio import Studio

module, function, pipeline, branch = st.session_state["test:view"]
spec = pipeline if not isinstance(pipeline, str) else augment.pipeline(pipeline)
dataset = datasets.dataset("synthetic")
positions = [int((dataset.train.labels == label).argmax()) for label in range(5)]
studio = Studio(dataset, spec, branch, 0, positions, dataset.train.images[positions], dataset.class_names)
getattr(importlib.import_module("aquadash.ui.augment." + module), function)(studio)
"""
