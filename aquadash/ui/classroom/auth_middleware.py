"""The middleware of a class: nothing of the app leaves the server for people who have not joined.

Streamlit's own routes know no people: media files lie under an address that is hard to guess, uploads need a session's
id, and the connection of a page is anybody's. Open to all are the join page, the app's own scripts and styles, and
whether the server lives.
"""

from __future__ import annotations

from urllib.parse import quote

from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from aquadash.classroom.invitation import JOIN_PATH
from aquadash.people import STRANGER, Person
from aquadash.ui.classroom import admission, routes
from aquadash.ui.server import UPLOADS

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
    """ASGI middleware; see above."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        #: The ids of pages' sessions, each with the id of the person whose page it is.
        self._owners: LRUCache[str, str] = LRUCache(_MAX_SESSIONS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or (path.startswith(_OPEN) and ".." not in path):
            await self._app(scope, receive, send)
            return
        if path.endswith(_METRICS):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        # In another thread than the server's: looking up a token can wait for the file.
        person = await run_in_threadpool(admission.person_of, HTTPConnection(scope).cookies.get(admission.COOKIE))
        if scope["type"] == "websocket":
            if person is STRANGER or self._names_session_of_another(scope, person):
                # Before it is accepted this is answered with 403.
                await WebSocketClose(code=1008, reason="Join the class first.")(scope, receive, send)
                return
            send = self._noting_session(send, person)
        elif person is STRANGER:
            await _refusal(scope)(scope, receive, send)
            return
        elif path.startswith(UPLOADS):
            session = path.removeprefix(UPLOADS).partition("/")[0]
            if self._owners.get(session) != person.person_id:
                refusal = PlainTextResponse("This page is not open here any more. Reload it.", 403, headers=_CLOSE)
                await refusal(scope, receive, send)
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


def _refusal(scope: Scope) -> Response:
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD") or path.startswith(_NO_PAGES):
        return PlainTextResponse("Join the class first.", 401, headers={"Cache-Control": "no-store"})
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = path + (f"?{query}" if query else "")
    # From a page of ours the browser sends the cookie, and who has joined is let through.
    return routes.onward(f"{JOIN_PATH}?next={quote(wanted, safe='')}", "Join the class")
