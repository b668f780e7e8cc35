"""What the server does around the pages: start-up, and errors that no page has caught."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.jobs import processes
from aquadash.ui import shell, warmup
from aquadash.ui.shrinking import Shrinking

#: How far the pages step back behind a training that needs every processor: it has gaps that are enough for them, and
#: loses much when it is held up. With this they keep a quarter of a processor even where it leaves no gap.
NICENESS = 5
#: Seconds until the server has warmed up and most is imported.
_WARM_SECONDS = 15.0

_LOG = logging.getLogger(__name__)


def expect_navigation() -> None:
    """Tell Streamlit, before its first session, that ``app.py`` decides what the pages are.

    Streamlit takes a folder called ``pages`` for its older kind of multi-page app until ``st.navigation`` has been
    called once: the first visitor of a fresh server, if a deep link brought them, would get the bare page file without
    ``app.py``.
    """
    # Streamlit warns that nobody looks at a page yet.
    logging.disable(logging.WARNING)
    try:
        st.navigation([lambda: None])
    finally:
        logging.disable(logging.NOTSET)


def routes() -> list[Route]:
    """What the server answers besides the pages: how people join a class, if one is served."""
    if not settings.classroom():
        return []
    from aquadash.ui.classroom import routes as class_routes

    return class_routes.routes()


def middleware() -> list[Middleware]:
    """What every request passes: whether its sender has joined, in a class, and what makes photographs small."""
    shrinking = Middleware(Shrinking)
    if not settings.classroom():
        return [shrinking]
    from aquadash.ui.classroom.auth_middleware import AuthMiddleware

    return [Middleware(AuthMiddleware), shrinking]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Start warming up with the server.

    That needs no undoing: its thread is a daemon, and workers outlive the app.
    """
    if settings.classroom():
        from aquadash.ui.classroom import connections

        connections.watch(connections.raise_open_files())
    warmup.start()
    processes.step_back(NICENESS)
    asyncio.get_running_loop().call_later(_WARM_SECONDS, set_imports_aside)
    yield


def set_imports_aside() -> None:
    """Let Python's collector leave alone what is there now.

    A whole collection goes through hundreds of thousands of objects of the libraries, none of which is ever garbage,
    and every page waits a quarter of a second for it. A page makes thousands of objects, most of which go without a
    collection; with Python's own figure there would be several of them for every page.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def on_script_error(error: Exception) -> bool:
    """Draw an error that escaped from a page or from a widget's callback; True keeps Streamlit from drawing its own."""
    if not isinstance(error, AquaDashError):
        _LOG.error("A page failed", exc_info=error)
    shell.show_error(error)
    return True
