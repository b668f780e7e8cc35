"""What the server does around the pages: start-up, uncaught errors, style, photographs made small on arrival."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import cache
from importlib.resources import files

import anyio
import streamlit as st
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aquadash import settings
from aquadash.data.images import MAX_BYTES, shrink
from aquadash.errors import AquaDashError
from aquadash.pages import PAGES, name_at
from aquadash.ui import hosts, shell, warmup
from aquadash.work import processes

#: How far the pages step back behind a training that needs every processor: it has gaps that are enough for them, and
#: loses much when it is held up. With this they keep a quarter of a processor even where it leaves no gap.
NICENESS = 5
#: Seconds until the server has warmed up and most is imported.
_WARM_SECONDS = 15.0

#: What takes half a second of the first page otherwise.
_AHEAD = ("pyarrow", "aquadash.ui.compare.comparison", "aquadash.ui.compare.run_actions")

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
        # At its first element Streamlit looks through every module that there is, which now are few.
        st.empty()
    finally:
        logging.disable(logging.NOTSET)


class _Address(StringConvertor):
    """Any address that is no file's, nor Streamlit's own: for each of them the browser gets the app's page."""

    regex = "[^/.]*"


register_url_convertor("address", _Address())


def routes() -> list[Route]:
    """What the server answers itself: the app's page, and how people join a class, if one is served."""
    base = st.get_option("server.baseUrlPath").strip("/")
    page = Route(f"/{base}/{{page:address}}" if base else "/{page:address}", _page)
    if not settings.classroom():
        return [page]
    from aquadash.ui.classroom import routes as class_routes

    return [*class_routes.routes(), page]


async def _page(request: Request) -> Response:
    page = PAGES[name_at(request.path_params["page"])]
    return HTMLResponse(_app_page(page.code), headers={"Cache-Control": "no-cache"})


@cache
def _app_page(code: tuple[str, ...]) -> str:
    """Streamlit's page with the style sheet in it, and with code that the browser is to load meanwhile.

    What a script sends comes after the first words, which a style among it would move, and a chart's code only after
    the script.
    """
    # Where its page lies and what stands in it Streamlit promises nowhere: a test says so if that changes.
    static = files("streamlit").joinpath("static")
    page = static.joinpath("index.html").read_text(encoding="utf-8")
    style = files("aquadash.ui").joinpath("style.css").read_text(encoding="utf-8")
    scripts = [each.name for each in static.joinpath("static", "js").iterdir() if each.name.partition(".")[0] in code]
    early = "".join(f'<script type="module" async>import("./static/js/{name}")</script>' for name in scripts)
    # In the body: of two rules that weigh the same the later one counts, and Streamlit's come into the head. The code
    # behind it: Streamlit's, which that asks for, looks for it at once.
    return page.replace('<div id="root"></div>', f'<style>\n{style}</style><div id="root"></div>{early}', 1)


def middleware() -> list[Middleware]:
    """Return what every request passes: its host and origin, in a class who sent it, and what shrinks photographs."""
    if not settings.classroom():
        return [*hosts.middleware(), Middleware(Shrinking)]
    from aquadash.ui.classroom.auth_middleware import AuthMiddleware

    return [*hosts.middleware(), Middleware(AuthMiddleware), Middleware(Shrinking)]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Import what pages need before anybody comes, and start warming up with the server.

    That needs no undoing: its thread is a daemon, and workers outlive the app. Meanwhile commands know of a class.
    """
    serving: AbstractContextManager[None] = nullcontext()
    for name in _AHEAD:
        importlib.import_module(name)
    if settings.classroom():
        from aquadash.classroom import limits

        processes.raise_open_files()
        serving = limits.served()
    warmup.start()
    processes.step_back(NICENESS)
    asyncio.get_running_loop().call_later(_WARM_SECONDS, set_imports_aside)
    with serving:
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


#: Below it Streamlit's fields put what is uploaded.
UPLOADS = "/_stcore/upload_file/"
#: What a form adds to the file in it, in bytes: boundaries, names, types.
FORM_BYTES = 10_000


class Shrinking:
    """ASGI middleware that makes photographs small when they arrive.

    Streamlit keeps whatever is uploaded in the memory of the server while its page is open, and has no option for it
    yet (streamlit/streamlit#10828): two hundred photographs of a phone are a gigabyte. The pages look at small versions
    only.

    Args:
        app: What is behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # A decoded photograph takes up to 200 MB.
        self._one = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not (scope["type"] == "http" and scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)):
            await self._app(scope, receive, send)
            return
        told = Request(scope).headers.get("content-length", "")
        if told.isascii() and told.isdecimal() and len(told) < 16 and int(told) <= MAX_BYTES + FORM_BYTES:
            receive = self._shrunk(scope, receive)
        await self._app(scope, receive, send)

    def _shrunk(self, scope: Scope, receive: Receive) -> Receive:
        """What gives a form with a smaller file once somebody asks for it, and then whatever comes."""
        asked = False

        async def shrunk() -> Message:
            nonlocal asked
            if asked:
                return await receive()
            # Not before: what Streamlit refuses by its head alone is never read.
            asked = True
            body = await Request(scope, receive).body()
            body = await anyio.to_thread.run_sync(shrunk_form, body, limiter=self._one)
            return {"type": "http.request", "body": body, "more_body": False}

        return shrunk


def shrunk_form(body: bytes) -> bytes:
    """A form that holds one file, with a smaller file where that is a large photograph; anything else as it is."""
    head, gap, rest = body.partition(b"\r\n\r\n")
    boundary = b"\r\n" + head.partition(b"\r\n")[0]
    end = rest.find(boundary)
    named = re.search(rb'filename="([^"\r\n]*)"', head)
    if named is None or end < 0 or rest[end:].strip() != boundary.strip() + b"--":
        return body
    return head + gap + shrink(rest[:end], name=named[1].decode(errors="replace")) + rest[end:]
