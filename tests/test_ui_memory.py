"""Memory of visitors who have left."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from cachetools import TTLCache
from streamlit import runtime

from aquadash.ui import memory


class Sessions:
    """Stands for Streamlit's: some with a browser, some without, with a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.active = 1
        self.left: TTLCache[str, str] = TTLCache(maxsize=128, ttl=120, timer=lambda: self.now)
        self._session_storage = SimpleNamespace(_cache=self.left)

    def list_sessions(self) -> list[str]:
        return ["here"] * self.active + list(self.left.values())


@pytest.fixture(autouse=True)
def set_aside(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the tests have made stays to be collected."""
    called: list[int] = []
    monkeypatch.setattr(memory, "set_aside", lambda: called.append(1))
    return called


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    found = Sessions()
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=found))
    return found


def test_a_session_is_kept_for_two_minutes_and_then_let_go(sessions: Sessions) -> None:
    held: dict[str, object] = {"one": object()}
    sessions.left.update(held)
    sessions.now = 119.0
    assert memory.forget_old_sessions() == 2
    sessions.now = 121.0
    assert memory.forget_old_sessions() == 1
    assert not sessions.left._Cache__data, "expired is not enough: nothing may refer to it"


def test_memory_is_given_back_when_sessions_have_gone_and_only_then(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch, set_aside: list[int]
) -> None:
    given: list[float] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(sessions.now))

    async def course() -> None:
        tidying = asyncio.create_task(memory.keep_tidy(look_seconds=0.0))
        sessions.left["one"] = "left"
        await _until(lambda: memory.forget_old_sessions() == 2)
        await asyncio.sleep(0.02)
        assert given == []
        sessions.now = 121.0
        await _until(lambda: bool(given))
        await asyncio.sleep(0.02)
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)

    asyncio.run(course())
    assert given == [121.0]
    assert set_aside == [1], "once, at the start"


def test_without_a_server_there_is_nothing_to_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "exists", lambda: False)
    assert memory.forget_old_sessions() == 0


def test_another_release_of_streamlit_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace())
    asyncio.run(asyncio.wait_for(memory.keep_tidy(look_seconds=0.0), timeout=10))


def test_a_released_circle_is_freed() -> None:
    import gc
    import weakref

    class Node:
        other: object = None

    one, two = Node(), Node()
    one.other, two.other = two, one
    gone = weakref.ref(one)
    gc.disable()
    try:
        del one, two
        memory.give_back()
        assert gone() is None
    finally:
        gc.enable()


async def _until(ready: object) -> None:
    async with asyncio.timeout(10):
        while not ready():  # type: ignore[operator]
            await asyncio.sleep(0.005)
