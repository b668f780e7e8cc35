"""The routes and middleware of a class, without a server, and people who join it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from aquadash.classroom import codes
from aquadash.classroom.joining import Joining
from aquadash.ui.classroom import routes
from aquadash.ui.classroom.auth_middleware import AuthMiddleware
from aquadash.ui.hosts import SameOriginMiddleware
from aquadash.ui.kit.admission import COOKIE
from tests.support.asgi import Answer, ask

OWN = {"origin": "http://lab:8501"}


def class_app(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class whose app answers every request that reaches it, and where all attempts come at one moment."""
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    monkeypatch.setattr(routes, "_joining", Joining(lambda: 0.0))

    async def inside(request: Request) -> PlainTextResponse:
        return PlainTextResponse("inside")

    async def connection(websocket: WebSocket) -> None:
        await websocket.accept()
        message = ForwardMsg()
        message.new_session.initialize.session_id = websocket.query_params.get("session", "s")
        await websocket.send_bytes(message.SerializeToString())

    return Starlette(
        routes=[
            *routes.routes(),
            WebSocketRoute("/_stcore/stream", connection),
            Route("/{path:path}", inside, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=[Middleware(SameOriginMiddleware), Middleware(AuthMiddleware)],
    )


def join(app: Any, name: str = "Anna", code: str | None = None, **more: Any) -> Answer:
    form = {"name": name, "code": codes.codes().student if code is None else code, "next": more.pop("next", "/")}
    return ask(app, "/class/join", method="POST", form=form, headers={**OWN, **more.pop("headers", {})}, **more)


def open_page(app: Any, who: dict[str, str], session: str) -> None:
    """Open a page whose session has this id."""
    assert ask(app, "/_stcore/stream", scheme="ws", headers=who, query=f"session={session}").status == 101


def cookie_of(answer: Answer) -> dict[str, str]:
    token = re.match(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
    assert token
    return {"cookie": f"{COOKIE}={token[1]}"}
