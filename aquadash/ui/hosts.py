"""The hosts and origins that the app answers: a web page whose name points to this computer must not use the app."""

import ipaddress
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aquadash import settings


def middleware() -> list[Middleware]:
    """Return the middleware that refuses other hosts, then other origins, for HTTP and WebSocket."""
    return [
        Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(), www_redirect=False),
        Middleware(SameOriginMiddleware),
    ]


def allowed_hosts() -> list[str]:
    """Return the allowed ``Host`` headers, against DNS rebinding: this computer's and ``AQUADASH_PUBLIC_ADDRESS``."""
    hosts = {"localhost", "127.0.0.1", "[::1]"}
    listens_on = st.get_option("server.address") or "0.0.0.0"
    if listens_on in ("0.0.0.0", "::"):
        from aquadash.classroom.invitation import addresses

        hosts.update(addresses())
    else:
        hosts.add(_host_header(listens_on))
    if public := settings.public_address():
        hosts.add(_host_header(urlsplit(public).hostname or ""))
    return sorted(hosts)


def _host_header(host: str) -> str:
    """Return a host as browsers write it: an IPv6 address is short and in brackets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower()
    return f"[{address.compressed}]" if address.version == 6 else str(address)


class SameOriginMiddleware:
    """ASGI middleware that refuses requests of pages from other origins, whose port Streamlit 1.67 ignores.

    The origin of ``AQUADASH_PUBLIC_ADDRESS`` is allowed even if its proxy passes on another ``Host``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        public = settings.public_address()
        self._public_origin = public.lower() if public else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            host, origin = headers.get("host"), headers.get("origin")
            # Programs and links send no ``Origin``.
            if origin not in (None, f"http://{host}", f"https://{host}", self._public_origin):
                refusal = PlainTextResponse("This request came from a page of another site.", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
