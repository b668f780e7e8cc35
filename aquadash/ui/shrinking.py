"""Photographs are made small when they arrive.

Streamlit keeps whatever is uploaded in the memory of the server while its page is open, and has no option for it yet
(streamlit/streamlit#10828): two hundred photographs of a phone are a gigabyte. The pages look at small versions only.
"""

from __future__ import annotations

import re

import anyio
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aquadash.data.images import MAX_BYTES, shrink

#: Below it Streamlit's fields put what is uploaded.
UPLOADS = "/_stcore/upload_file/"
#: What a form adds to the file in it, in bytes: boundaries, names, types.
FORM_BYTES = 10_000


class Shrinking:
    """ASGI middleware.

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
