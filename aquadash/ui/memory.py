"""Memory of visitors who have left goes back to the computer.

Three things keep it otherwise. Streamlit holds a left session for two minutes, in case its browser comes back, but
looks for older ones only when another one leaves: the last class of the day would stay. What a session refers to goes
round in circles, which Python's collector finds late where much else is alive. And the C library keeps freed memory in
one pool a thread, and every redrawing is a thread of its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import sys
from typing import Any

_LOG = logging.getLogger(__name__)

#: Seconds between two looks. Nothing is done while nobody has left.
LOOK_SECONDS = 15.0
#: glibc's number of the setting, and how many pools there may be; its own default is eight a processor.
_ARENA_MAX, _ARENAS = -8, 2


def use_few_pools() -> None:
    """Let all threads share few pools of memory; before there are many threads."""
    if (library := _glibc()) is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)


def set_aside() -> None:
    """Let Python's collector leave alone what is there now; to be called when most is imported.

    A whole collection goes through hundreds of thousands of objects of the libraries, none of which is ever garbage,
    and every page waits a quarter of a second for it. A page makes thousands of objects, most of which go without a
    collection; with Python's own figure there would be several of them for every page.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


async def keep_tidy(*, look_seconds: float = LOOK_SECONDS) -> None:
    """Forget sessions whose time is over, and give back what they took, until cancelled. Runs in the server's loop."""
    held = 0
    await asyncio.sleep(look_seconds)
    # The server has warmed up by now.
    set_aside()
    while True:
        await asyncio.sleep(look_seconds)
        try:
            now = forget_old_sessions()
        except Exception:
            # Another release of Streamlit may keep its sessions elsewhere; it works without this, only larger.
            _LOG.debug("Old sessions could not be looked for", exc_info=True)
            return
        if now < held:
            await asyncio.to_thread(give_back)
        held = now


def forget_old_sessions() -> int:
    """Drop the sessions that have been without a browser for too long; returns how many there still are.

    To be called where Streamlit itself uses its sessions: in the server's loop.
    """
    from streamlit import runtime

    if not runtime.exists():
        return 0
    manager: Any = runtime.get_instance()._session_mgr
    manager._session_storage._cache.expire()
    return len(manager.list_sessions())


def give_back() -> None:
    """Free what nothing refers to any more, and hand free memory back to the computer."""
    gc.collect()
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library where it is GNU's; others need none of this."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
