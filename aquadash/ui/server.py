"""What the server does around the pages: start-up, and errors that no page has caught."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.jobs import processes
from aquadash.ui import framework, memory, shell, upload_files, warmup
from aquadash.ui.classroom import connections
from aquadash.ui.classroom import routes as class_routes
from aquadash.ui.classroom.door import Door

#: How far the pages step back behind a training that needs every processor: it has gaps that are enough for them, and
#: loses much when it is held up. With this they keep a quarter of a processor even where it leaves no gap.
NICENESS = 5

_LOG = logging.getLogger(__name__)


def expect_navigation() -> None:
    """Tell Streamlit, before its first session, that ``app.py`` decides what the pages are.

    Streamlit takes a folder called ``pages`` for its older kind of multi-page app until ``st.navigation`` has run once:
    the first visitor of a fresh server, if a deep link brought them, would get the bare page file without ``app.py``.
    """
    PagesManager.uses_pages_directory = False


def routes() -> list[Route]:
    """What the server answers besides the pages: how people join a class."""
    return class_routes.routes()


def middleware() -> list[Middleware]:
    """What every request passes: the door of a class, which stands open where there is none."""
    return [Middleware(Door)]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start warming up with the server, and tidy up as long as it runs.

    The warming up needs no undoing: its thread is a daemon, and workers outlive the app.
    """
    open_files = connections.raise_open_files()
    if settings.classroom():
        connections.watch(open_files)
    memory.use_few_pools()
    upload_files.keep_on_disk()
    framework.describe_theme_once()
    warmup.start()
    processes.step_back(NICENESS)
    tidying = asyncio.create_task(memory.keep_tidy(), name="aquadash-tidying")
    try:
        yield
    finally:
        tidying.cancel()


def on_script_error(error: Exception) -> bool:
    """Draw an error that escaped from a page or from a widget's callback; True keeps Streamlit from drawing its own."""
    if not isinstance(error, AquaDashError):
        _LOG.error("A page failed", exc_info=error)
    shell.show_error(error)
    return True
