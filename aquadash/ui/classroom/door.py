"""The door of a class: nothing of the app leaves the server for who has not joined.

Streamlit's own routes know no people: media files lie under an address that is hard to guess, uploads need a session's
id, and the connection of a page is anybody's. So in a class every request passes here first. Open to all are the join
page, the way to log in with an account and back, the app's own scripts and styles, and the word whether the server
lives.
"""

from __future__ import annotations

import html
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from aquadash import settings
from aquadash.classroom.invitation import JOIN_PATH
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError
from aquadash.ui.classroom.accounts import STREAMLIT_PATHS
from aquadash.ui.classroom.visitors import COOKIE, logs_in

_OPEN = ("/class/", "/static/", "/_stcore/health", "/_stcore/host-config", "/favicon")
#: Below these there are no pages.
_NO_PAGES = ("/_stcore/", "/media/", "/component/", "/app/static/")


class Door:
    """ASGI middleware.

    Args:
        app: What is behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not settings.classroom() or _lets_in(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Before it is accepted this is answered with 403.
            await WebSocketClose(code=1008, reason="Join the class first.")(scope, receive, send)
        else:
            await _refusal(scope)(scope, receive, send)


def _lets_in(scope: Scope) -> bool:
    path = scope["path"]
    if path.startswith(_OPEN) and ".." not in path:
        return True
    if path in STREAMLIT_PATHS and logs_in():
        return True
    try:
        return open_sessions().person_of(HTTPConnection(scope).cookies.get(COOKIE)) is not None
    except AquaDashError:
        return False


def _refusal(scope: Scope) -> Response:
    path = scope["path"]
    if scope["method"] not in ("GET", "HEAD") or path.startswith(_NO_PAGES):
        return PlainTextResponse("Join the class first.", 401, headers={"Cache-Control": "no-store"})
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = path + (f"?{query}" if query else "")
    # A page instead of a redirection: who follows a link from elsewhere sends no SameSite=Strict cookie along, also
    # not after being redirected. From a page of ours the browser sends it, and who has joined is let through.
    there = html.escape(f"{JOIN_PATH}?next={quote(wanted, safe='')}", quote=True)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>AquaDash</title>'
        f'<meta http-equiv="refresh" content="0;url={there}"></head>'
        f'<body><p><a href="{there}">Join the class</a></p></body></html>',
        headers={"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"},
    )
