"""The server around the pages: start-up, uncaught errors, style, shrinking of uploaded photographs."""

import asyncio
import ctypes
import gc
import importlib
import logging
import re
import sys
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
from aquadash.ui import hosts
from aquadash.ui.kit import shell, uploads, warmup
from aquadash.work import processes

#: Niceness of the pages beside a training: they use its gaps, and keep a quarter of a processor without any.
NICENESS = 5
#: Seconds until the server has warmed up and most modules are imported.
_WARM_SECONDS = 15.0

#: Modules whose import would delay the first page by half a second.
_AHEAD = ("pyarrow", "aquadash.ui.compare.page")

#: The option of ``mallopt`` for the freed bytes that a process may keep (``malloc.h``), and glibc's own first value.
_M_TRIM_THRESHOLD, _KEPT_BYTES = -1, 128 * 1024

_LOG = logging.getLogger(__name__)


def return_freed_memory() -> None:
    """Let the C library give freed memory back to the system, which takes 50 MB off the server; on Linux only."""
    # glibc raises the limit by itself, up to 64 MB, once larger blocks have been freed; a set limit stays: mallopt(3).
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def expect_navigation() -> None:
    """Call ``st.navigation`` before the first session; see "The folder pages/" in ``STREAMLIT.md``."""
    # Streamlit warns that there is no session.
    logging.disable(logging.WARNING)
    try:
        st.navigation([lambda: None])
        # Streamlit scans all imported modules at its first element: do it while they are few.
        st.empty()
    finally:
        logging.disable(logging.NOTSET)


class _Address(StringConvertor):
    """A URL path without dot and slash: each of them gets the app's page."""

    regex = "[^/.]*"


register_url_convertor("address", _Address())


def routes() -> list[Route]:
    """Return the routes of the app's page and of joining a class, if one is served; end a start below a path."""
    if st.get_option("server.baseUrlPath").strip("/"):
        raise SystemExit(
            "AquaDash cannot be served below a path: take the option server.baseUrlPath away, and give AquaDash a host "
            "name or a port of its own."
        )
    page = Route("/{page:address}", _page)
    if not settings.classroom():
        return [page]
    from aquadash.ui.classroom import routes as class_routes

    return [*class_routes.routes(), page]


async def _page(request: Request) -> Response:
    page = PAGES[name_at(request.path_params["page"])]
    return HTMLResponse(_app_page(page.code), headers={"Cache-Control": "no-cache"})


@cache
def _app_page(code: tuple[str, ...]) -> str:
    """Return Streamlit's page with our script, early loads of ``code`` and our styles, so that no text moves later."""
    # The path and content of ``index.html`` are undocumented; tests/ui/test_server fails when they change.
    static = files("streamlit").joinpath("static")
    page = static.joinpath("index.html").read_text(encoding="utf-8")
    style, script = (
        files("aquadash.ui").joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "page.js")
    )
    scripts = [each.name for each in static.joinpath("static", "js").iterdir() if each.name.partition(".")[0] in code]
    early = "".join(f'<script type="module" async>import("./static/js/{name}")</script>' for name in scripts)
    # In the body, after Streamlit's own rules in the head: the later of two equal rules wins.
    return page.replace(
        '<div id="root"></div>', f'<style>\n{style}</style><div id="root"></div><script>\n{script}</script>{early}', 1
    )


def middleware() -> list[Middleware]:
    """Return the middleware: host and origin, in a class the session, and the shrinking of photographs."""
    if not settings.classroom():
        return [*hosts.middleware(), Middleware(Shrinking)]
    from aquadash.ui.classroom.auth_middleware import AuthMiddleware

    return [*hosts.middleware(), Middleware(AuthMiddleware), Middleware(Shrinking)]


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Import modules of the pages, start warming up, and hold the class's lock while the server runs."""
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
    """Freeze the libraries' objects and collect more seldom: a full collection delays every page by 0.25 s."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def on_script_error(error: Exception) -> bool:
    """Show an error that escaped from a page or callback; True keeps Streamlit from showing its own message."""
    if not isinstance(error, AquaDashError):
        _LOG.error("A page failed", exc_info=error)
    shell.render_error(error)
    return True


#: Bytes of an upload's form beside its file, at most.
FORM_BYTES = 10_000


class Shrinking:
    """ASGI middleware that shrinks uploaded photographs; see "Uploads stay in memory" in ``STREAMLIT.md``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # One at a time: a decoded photograph takes up to 200 MB.
        self._one = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not (scope["type"] == "http" and scope["method"] == "PUT" and scope["path"].startswith(uploads.PATH)):
            await self._app(scope, receive, send)
            return
        length = Request(scope).headers.get("content-length", "")
        if length.isascii() and length.isdecimal() and len(length) < 16 and int(length) <= MAX_BYTES + FORM_BYTES:
            receive = self._shrunk(scope, receive)
        await self._app(scope, receive, send)

    def _shrunk(self, scope: Scope, receive: Receive) -> Receive:
        """Return a ``receive`` whose first message is the whole form with a smaller file."""
        is_read = False

        async def shrunk() -> Message:
            nonlocal is_read
            if is_read:
                return await receive()
            # Streamlit asks for the body once it has accepted the head; before that it may refuse the request.
            is_read = True
            body = await Request(scope, receive).body()
            body = await anyio.to_thread.run_sync(shrunk_form, body, limiter=self._one)
            return {"type": "http.request", "body": body, "more_body": False}

        return shrunk


def shrunk_form(body: bytes) -> bytes:
    """Return a form of one large photograph with a smaller one, and anything else unchanged."""
    head, gap, rest = body.partition(b"\r\n\r\n")
    boundary = b"\r\n" + head.partition(b"\r\n")[0]
    end = rest.find(boundary)
    named = re.search(rb'filename="([^"\r\n]*)"', head)
    if named is None or end < 0 or rest[end:].strip() != boundary.strip() + b"--":
        return body
    return head + gap + shrink(rest[:end], name=named[1].decode(errors="replace")) + rest[end:]
