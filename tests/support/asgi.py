"""Asks an ASGI app without a server: one request, one answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode


@dataclass
class Answer:
    """The answer to a request."""

    #: HTTP status; 0: no answer. Of a websocket 101 for accepted and 403 for closed.
    status: int = 0
    #: By name in lower case.
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    #: ``Set-Cookie`` headers.
    cookies: list[str] = field(default_factory=list)
    #: Whether the app read the request.
    read: bool = False


def ask(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    form: Mapping[str, str] | None = None,
    body: bytes = b"",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    client: str = "192.0.2.7",
    scheme: str = "http",
) -> Answer:
    """Send a request, with a form as browsers encode it or a body that comes in pieces."""
    body = urlencode(form).encode() if form is not None else body
    sent = {"host": "lab:8501", **(headers or {})}
    if form is not None:
        sent = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body)), **sent}
    kind = "websocket" if scheme.startswith("ws") else "http"
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": scheme,
        "client": (client, 50000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
    }
    answer = Answer()
    incoming: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[start : start + 65_536], "more_body": start + 65_536 < len(body)}
        for start in range(0, max(len(body), 1), 65_536)
    ]
    if kind == "websocket":
        incoming = [{"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        answer.read = True
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            answer.status = message["status"]
            answer.cookies = [value.decode() for name, value in message["headers"] if name.lower() == b"set-cookie"]
            answer.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] in ("http.response.body", "websocket.http.response.body"):
            answer.body += message.get("body", b"").decode()
        else:
            answer.status = 403 if message["type"] == "websocket.close" else 101

    asyncio.run(app(scope, receive, send))
    return answer
