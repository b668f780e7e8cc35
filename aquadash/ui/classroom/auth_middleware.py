"""The middleware of a class: visitors who have not joined get the join page, scripts, styles and the health check only.

Streamlit's own routes have no authentication: media are protected by long addresses, uploads by a session's id.
"""

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
from aquadash.ui.classroom import routes
from aquadash.ui.kit import admission, uploads

#: Maximum number of page sessions whose owner is kept; a class opens fewer pages in a day.
_MAX_SESSIONS = 10_000
#: Statistics of visits, refused in a class.
_METRICS = "/_stcore/metrics"
_OPEN = ("/class/", "/static/", "/_stcore/health", "/_stcore/host-config", "/favicon")
#: Paths without pages.
_NO_PAGES = ("/_stcore/", "/media/", "/component/", "/app/static/")
#: Headers that keep the browser from sending the rest of a refused upload.
_CLOSE = {"Cache-Control": "no-store", "Connection": "close"}


class AuthMiddleware:
    """ASGI middleware that lets members of the class in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        #: The person's id by the id of the page's session.
        self._owners: LRUCache[str, str] = LRUCache(_MAX_SESSIONS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or (path.startswith(_OPEN) and ".." not in path):
            await self._app(scope, receive, send)
            return
        if path.endswith(_METRICS):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        # In a thread: the look-up of a token may wait for the file.
        person = await run_in_threadpool(admission.person_of, HTTPConnection(scope).cookies.get(admission.COOKIE))
        if scope["type"] == "websocket":
            if person is STRANGER or self._names_session_of_another(scope, person):
                # Closing before accepting answers with 403.
                await WebSocketClose(code=1008, reason="Join the class first.")(scope, receive, send)
                return
            send = self._noting_session(send, person)
        elif person is STRANGER:
            await _refusal(scope)(scope, receive, send)
            return
        elif path.startswith(uploads.PATH):
            session = path.removeprefix(uploads.PATH).partition("/")[0]
            if self._owners.get(session) != person.person_id:
                refusal = PlainTextResponse("This page is not open here any more. Reload it.", 403, headers=_CLOSE)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _names_session_of_another(self, scope: Scope, person: Person) -> bool:
        """Return whether a WebSocket wants to resume another person's page; a subprotocol has the session's id."""
        named = HTTPConnection(scope).headers.get("sec-websocket-protocol", "").split(",")
        return any(self._owners.get(name.strip(), person.person_id) != person.person_id for name in named)

    def _noting_session(self, send: Send, person: Person) -> Send:
        """Note the owner of a page's session; see "Uploads into any session" in ``ui/STREAMLIT.md``."""
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
    # The browser sends the cookie only with requests from our own pages: for a member, the join page forwards.
    return routes.onward(f"{JOIN_PATH}?next={quote(wanted, safe='')}", "Join the class")
