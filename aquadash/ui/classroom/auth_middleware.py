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

from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

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

#: More pages than a class opens in a day; of more, those that uploaded nothing for longest are forgotten.
_MAX_SESSIONS = 10_000
#: Tells how many people look at which pages: for the owner of the machine, who uses the app without a class.
_METRICS = "/_stcore/metrics"
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
        #: The ids of pages' sessions, each with the id of the person whose page it is.
        self._owners: LRUCache[str, str] = LRUCache(_MAX_SESSIONS)

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
        if scope["path"].endswith(_METRICS):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        # Not in the server's own thread: whoever looks may have to wait for the file.
        person = await run_in_threadpool(_sender, scope)
        if scope["type"] == "websocket":
            if person is None or self._names_session_of_another(scope, person):
                # Before it is accepted this is answered with 403.
                await WebSocketClose(code=1008, reason="Join the class first.")(scope, receive, send)
                return
            send = self._noting_session(send, person)
        elif person is None:
            await _refusal(scope)(scope, receive, send)
            return
        connections.trust()
        if scope["type"] == "http" and scope["path"].startswith(UPLOADS):
            session = scope["path"].removeprefix(UPLOADS).partition("/")[0]
            if self._owners.get(session) != person.person_id:
                refusal = PlainTextResponse("This page is not open here any more. Reload it.", 403, headers=_CLOSE)
                await refusal(scope, receive, send)
                return
            if scope["method"] == "PUT":
                await self._take(scope, receive, send, person)
                return
        await self._app(scope, receive, send)

    def _names_session_of_another(self, scope: Scope, person: Person) -> bool:
        """Return whether a WebSocket asks to go on with another person's page; its session's id is a subprotocol."""
        named = HTTPConnection(scope).headers.get("sec-websocket-protocol", "").split(",")
        return any(self._owners.get(name.strip(), person.person_id) != person.person_id for name in named)

    def _noting_session(self, send: Send, person: Person) -> Send:
        """Note whose page a WebSocket serves: Streamlit sends the session's id when the page's script begins.

        Streamlit 1.67 lets anybody upload into a session whose id they name, and has no public way to ask whose it is.
        """
        noted = False

        async def noting(message: Message) -> None:
            nonlocal noted
            if not noted and message["type"] == "websocket.send" and (data := message.get("bytes")):
                sent = ForwardMsg.FromString(data)
                if noted := sent.WhichOneof("type") == "new_session":
                    self._owners[sent.new_session.initialize.session_id] = person.person_id
            await send(message)

        return noting

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
