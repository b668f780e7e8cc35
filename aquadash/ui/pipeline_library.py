"""The library of pipelines as pages read it: again as soon as a file of it changes, whoever changes it."""

from __future__ import annotations

import os

import streamlit as st

from aquadash.augment import Library, library, saved_pipelines


def current() -> Library:
    """All pipelines as they are now; reading the folder's listing is all that an unchanged one costs."""
    return _read(str(saved_pipelines.folder()), _listing())


def _listing() -> tuple[tuple[str, int, int], ...]:
    """Name, time of change and size of the saved files: the part of the cache's key that changes with them."""
    try:
        with os.scandir(saved_pipelines.folder()) as entries:
            files = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".json")]
    except OSError:
        return ()
    return tuple(sorted((name, status.st_mtime_ns, status.st_size) for name, status in files))


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(folder: str, listing: tuple[tuple[str, int, int], ...]) -> Library:
    return library()
