"""Small studios for the tests of the Augment page's views, and what draws one view without the page."""

from collections.abc import Callable

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aquadash.augment import PIPELINES, PipelineSpec
from aquadash.data import Dataset, Split
from aquadash.lab import memory
from aquadash.ui.augment.studio import Studio
from tests.support.app_pages import run_script


def small_dataset(count: int = 30) -> Dataset:
    """Images of random pixels between 60 and 196 in three classes; test images are the same."""
    random = np.random.default_rng(0)
    images = random.integers(60, 197, (count, 32, 32, 3), dtype=np.uint8)
    labels = (np.arange(count) % 3).astype(np.int64)
    split = Split(images, labels, tuple(f"{number}.png" for number in range(count)))
    return Dataset("small", "Small", "Made by a test.", True, ("otter", "seal", "whale"), split, split)


def studio(pipeline: str | PipelineSpec = "notebook", *, branch: int = 0, own: bool = False) -> Studio:
    """A studio with the first three training images, or with the same as a person's own pictures."""
    dataset = small_dataset()
    spec = PIPELINES[pipeline] if isinstance(pipeline, str) else pipeline
    names = tuple(f"<b>{number}</b>.jpg" for number in range(3)) if own else dataset.class_names
    return Studio(dataset, spec, branch, 0, [] if own else [0, 1, 2], dataset.train.images[:3], names)


def open_view(
    draw: Callable[[Studio], None], *, pipeline: str | PipelineSpec = "notebook-1", branch: int = 0, **address: str
) -> AppTest:
    """Draw a view for a pipeline and the first training images of each class."""
    memory.refresh()
    return run_script(_view, draw, pipeline, branch, **{name.replace("_", "-"): text for name, text in address.items()})


def _view(draw, pipeline, branch) -> None:  # type: ignore[no-untyped-def]
    from aquadash.augment import PIPELINES
    from aquadash.ui.augment.studio import Studio
    from aquadash.ui.kit import datasets, shell

    dataset = datasets.dataset("synthetic")
    positions = [int((dataset.train.labels == label).argmax()) for label in range(5)]
    spec = PIPELINES.get(pipeline, pipeline)
    with shell.guard():  # As :class:`aquadash.ui.kit.sections.Section` does.
        draw(Studio(dataset, spec, branch, 0, positions, dataset.train.images[positions], dataset.class_names))


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that stands alone knows no other page to link to."""
    monkeypatch.setattr(st, "page_link", lambda page, *, label, **options: st.caption(f"{label} ({page})"))
