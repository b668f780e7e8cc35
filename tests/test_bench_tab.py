"""A browser tab without a browser, against a server whose only page fails."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.server import ServerConnection, serve

from scripts.bench.tab import Tab


@pytest.mark.anyio
async def test_what_fails_in_a_page_is_told() -> None:
    async def talk(connection: ServerConnection) -> None:
        async for _ in connection:
            begin, failed, end = ForwardMsg(), ForwardMsg(), ForwardMsg()
            begin.new_session.page_script_hash = "hash-home"
            failed.delta.new_element.exception.message = "It broke."
            end.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
            for message in (begin, failed, end):
                await connection.send(message.SerializeToString())

    def page(connection: ServerConnection, request: Any) -> Any:
        return None if request.path == "/_stcore/stream" else connection.respond(HTTPStatus.OK, "")

    async with serve(talk, "127.0.0.1", 0, process_request=page) as serving:
        tab = Tab(f"127.0.0.1:{next(iter(serving.sockets)).getsockname()[1]}")
        await tab.open()
        await tab.go("home")
        await tab.close()
    assert tab.counts.errors == ["It broke."]
