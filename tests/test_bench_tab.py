"""A browser tab without a browser, against a server that follows a script of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.server import ServerConnection, serve

from scripts.bench.tab import ServerError, Tab

pytestmark = pytest.mark.anyio

PAGES = {"start": "hash-home", "train": "hash-train"}


class Server:
    """Answers each request for a page or a part of one with what ``draw`` sends for it."""

    def __init__(self, draw: Callable[[Server, Any], list[ForwardMsg]]) -> None:
        self.asked: list[Any] = []
        self.loaded: list[str] = []
        self._draw = draw

    async def talk(self, connection: ServerConnection) -> None:
        async for data in connection:
            message = BackMsg()
            message.ParseFromString(data)
            rerun = message.rerun_script
            self.asked.append(rerun)
            for answer in self._draw(self, rerun):
                await connection.send(answer.SerializeToString())

    def page(self, connection: ServerConnection, request: Any) -> Any:
        if request.path == "/_stcore/stream":
            return None
        self.loaded.append(request.path)
        found = {"/": '<script src="./static/js/index.js"></script>', "/static/js/index.js": "run()"}
        if request.path in found or request.path.startswith("/media/ab"):
            return connection.respond(HTTPStatus.OK, found.get(request.path, "picture"))
        return connection.respond(HTTPStatus.NOT_FOUND, "nothing")


@asynccontextmanager
async def opened(draw: Callable[[Server, Any], list[ForwardMsg]]) -> Any:
    """A tab that is connected, and its server."""
    server = Server(draw)
    async with serve(server.talk, "127.0.0.1", 0, process_request=server.page) as serving:
        port = next(iter(serving.sockets)).getsockname()[1]
        tab = Tab(f"127.0.0.1:{port}")
        await tab.open()
        try:
            yield tab, server
        finally:
            await tab.close()


def frame(rerun: Any, *inside: ForwardMsg) -> list[ForwardMsg]:
    """A whole run of a page, or of a part of it, around what it draws."""
    fragments = [rerun.fragment_id] if rerun.fragment_id else []
    begin, end, menu = ForwardMsg(), ForwardMsg(), ForwardMsg()
    begin.new_session.page_script_hash = rerun.page_script_hash or "hash-home"
    end.script_finished = (
        ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY if fragments else ForwardMsg.FINISHED_SUCCESSFULLY
    )
    for message in (begin, end):
        message.metadata.run.script_run_id = "1"
        message.metadata.run.fragment_ids.extend(fragments)
    for path, page in PAGES.items():
        menu.navigation.app_pages.add(url_pathname=path, page_script_hash=page)
    return [begin, menu, *inside, end]


def timer(fragment: str, interval: float) -> ForwardMsg:
    message = ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, interval
    return message


def text(body: str, *, hash: str = "", cacheable: bool = False) -> ForwardMsg:
    message = ForwardMsg(hash=hash)
    message.metadata.cacheable = cacheable
    message.delta.new_element.markdown.body = body
    return message


async def test_pages_change_within_one_session_as_a_browser_asks_for_them() -> None:
    async with opened(lambda server, rerun: frame(rerun)) as (tab, server):
        assert await tab.go("home") > 0.0
        await tab.go("train", "run=abc")
        assert [(each.page_name, each.page_script_hash, each.query_string) for each in server.asked] == [
            ("", "", ""),
            ("", "hash-train", "run=abc"),
        ]
        assert server.loaded[:2] == ["/", "/static/js/index.js"]
        assert tab.counts.errors == []


async def test_a_part_that_redraws_itself_is_asked_for_until_the_page_is_left() -> None:
    def draw(server: Server, rerun: Any) -> list[ForwardMsg]:
        watching = rerun.page_script_hash == "hash-train" and not rerun.fragment_id
        return frame(rerun, timer("live", 0.02)) if watching else frame(rerun)

    async with opened(draw) as (tab, server):
        await tab.go("home")
        await tab.go("train")
        await until(lambda: sum(each.fragment_id == "live" for each in server.asked) >= 3)
        ticks = [each for each in server.asked if each.fragment_id]
        assert all(each.is_auto_rerun and each.page_script_hash == "hash-train" for each in ticks)
        assert tab.counts.redraws >= 3
        tab.quiet(True)
        silent = tab.counts.redraws
        await asyncio.sleep(0.1)
        assert tab.counts.redraws == silent, "a computer that sleeps asks for nothing"
        tab.quiet(False)
        await until(lambda: tab.counts.redraws > silent)
        await tab.go("home")
        left = tab.counts.redraws
        await asyncio.sleep(0.1)
        assert tab.counts.redraws == left


async def test_a_large_message_is_remembered_until_two_runs_have_not_used_it() -> None:
    big = [text("a" * 50, hash="big", cacheable=True)]

    async with opened(lambda server, rerun: frame(rerun, *(big if len(server.asked) == 1 else []))) as (
        tab,
        server,
    ):
        for _ in range(5):
            await tab.go("home")
        kept = [list(each.cached_message_hashes) for each in server.asked]
        assert kept == [[], ["big"], ["big"], [], []]


async def test_a_reference_to_what_was_never_sent_is_an_error() -> None:
    def draw(server: Server, rerun: Any) -> list[ForwardMsg]:
        return frame(rerun, ForwardMsg(ref_hash="unknown"))

    async with opened(draw) as (tab, _):
        await tab.go("home")
        assert tab.counts.errors == ["The server referred to a message that it had not sent."]


async def test_pictures_are_loaded_once_and_missing_ones_are_told() -> None:
    good, bad = f"/media/{'ab' * 28}.png", f"/media/{'cd' * 28}.png"

    async with opened(lambda server, rerun: frame(rerun, text(good), text(bad))) as (tab, server):
        await tab.go("home")
        await tab.go("home")
        await until(lambda: tab.counts.errors)
        assert server.loaded.count(good) == 1
        assert tab.counts.errors == [f"{bad} answers 404."]


async def test_what_fails_in_a_page_is_told() -> None:
    failed = ForwardMsg()
    failed.delta.new_element.exception.message = "It broke."

    async with opened(lambda server, rerun: frame(rerun, failed)) as (tab, _):
        await tab.go("home")
        assert tab.counts.errors == ["It broke."]


async def test_a_run_that_was_broken_off_is_not_the_end() -> None:
    def draw(server: Server, rerun: Any) -> list[ForwardMsg]:
        broken = frame(rerun)
        broken[-1].script_finished = ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return [*broken, *frame(rerun, text("late"))]

    async with opened(draw) as (tab, _):
        heard: list[bytes] = []
        tab._listener = lambda raw, came: heard.append(raw)
        await tab.go("home")
        assert any(b"late" in raw for raw in heard)


async def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ServerError, match="does not answer"):
        await Tab("127.0.0.1:1").open()


async def until(ready: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not ready():
            await asyncio.sleep(0.005)
