"""What every request of a class passes: nothing of the app leaves the server for who has not joined.

Streamlit's own routes know no people: media files lie under an address that is hard to guess, uploads need a session's
id, and the connection of a page is anybody's. So in a class every request passes here first. Open to all are the join
page, the way to log in with an account and back, the app's own scripts and styles, and the word whether the server
lives. Here, too, an upload that is more than its sender may send, or have on the server, is refused by what it says of
its length, before any of it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from aquadash import settings
from aquadash.classroom.invitation import JOIN_PATH
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError, NotAllowedError
from aquadash.lab.limits import Limits
from aquadash.people import Person
from aquadash.ui.classroom import accounts, connections, routes
from aquadash.ui.classroom.admission import COOKIE
from aquadash.ui.classroom.kept_uploads import KeptUploads
from aquadash.ui.server import FORM_BYTES, UPLOADS

_OPEN = ("/class/", "/static/", "/_stcore/health", "/_stcore/host-config", "/favicon")
#: Below these there are no pages.
_NO_PAGES = ("/_stcore/", "/media/", "/component/", "/app/static/")
#: The rest of what was refused shall not come.
_CLOSE = {"Cache-Control": "no-store", "Connection": "close"}


class AuthMiddleware:
    """ASGI middleware.

    Args:
        app: What is behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._uploads = KeptUploads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not settings.classroom():
            await self._app(scope, receive, send)
            return
        with connections.request():
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        # Not in the server's own thread: whoever looks may have to wait for the file.
        person = await run_in_threadpool(_sender, scope)
        if person is None and scope["type"] == "websocket":
            # Before it is accepted this is answered with 403.
            await WebSocketClose(code=1008, reason="Join the class first.")(scope, receive, send)
            return
        if person is None:
            await _refusal(scope)(scope, receive, send)
            return
        connections.trust()
        if scope["type"] == "http" and scope["method"] == "PUT" and scope["path"].startswith(UPLOADS):
            await self._take(scope, receive, send, person)
        else:
            await self._app(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, send: Send, person: Person) -> None:
        """Let an upload in, or say why it is not taken."""
        headers = HTTPConnection(scope).headers
        told = headers.get("content-length", "")
        if "transfer-encoding" in headers or not (told.isascii() and told.isdecimal() and len(told) < 16):
            # The server holds a body to the length that was told; of one that comes in pieces that says nothing.
            refusal = PlainTextResponse("An upload must say how long it is.", 411, headers=_CLOSE)
            await refusal(scope, receive, send)
            return
        # Whatever comes counts as something where nothing is taken.
        size = max(1, int(told) - FORM_BYTES)
        if refused := await run_in_threadpool(_reason, Limits(person).check_upload, size):
            await PlainTextResponse(refused, 413, headers=_CLOSE)(scope, receive, send)
            return
        if refused := await run_in_threadpool(_reason, partial(self._uploads.reserve, person), size):
            # One that alone would be taken may come to its end: a browser tells of an answer only then.
            while (await receive()).get("more_body"):
                pass
            await PlainTextResponse(refused, 413)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._uploads.arrived(person.person_id, size, scope["path"].removeprefix(UPLOADS).partition("/")[0])


def _reason(check: Callable[[int], None], size: int) -> str:
    """Why an upload is refused; empty where it is not."""
    try:
        check(size)
    except NotAllowedError as error:
        return str(error)
    return ""


def _is_open(path: str) -> bool:
    if path.startswith(_OPEN) and ".." not in path:
        return True
    return path == accounts.CALLBACK_PATH and accounts.logs_in()


def _sender(scope: Scope) -> Person | None:
    try:
        return open_sessions().person_of(HTTPConnection(scope).cookies.get(COOKIE))
    except AquaDashError:
        return None


def _refusal(scope: Scope) -> Response:
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD") or path.startswith(_NO_PAGES):
        return PlainTextResponse("Join the class first.", 401, headers={"Cache-Control": "no-store"})
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = path + (f"?{query}" if query else "")
    # From a page of ours the browser sends the cookie, and who has joined is let through.
    return routes.onward(f"{JOIN_PATH}?next={quote(wanted, safe='')}", "Join the class")
