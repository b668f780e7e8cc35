"""A browser tab without a browser, which speaks Streamlit's protocol with the app's server and draws nothing.

It keeps its connection, changes pages within one session, asks for each fragment that redraws itself, caches large
messages, and loads the pictures of a page. It sends no values of widgets: pages show their defaults and their address.
"""

import asyncio
import http.client
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from aquadash.errors import AquaDashError
from aquadash.pages import FIRST, addresses

_OPEN_SECONDS = 60.0
_ANSWER_SECONDS = 120.0
#: Files of Streamlit's own page, by the attributes that name them.
_ASSET = re.compile(rb'(?:src|href)="\./(static/[^"]+)"')
_MEDIA = re.compile(rb"/media/[0-9a-f]{8,128}\.[a-z0-9]{1,8}")
#: Streamlit's browser forgets a cached message after this number of script runs that do not use it.
_MAX_AGE = 2

#: Called with the bytes of every message and the Unix time of their arrival.
Listener = Callable[[bytes, float], None]


class ServerError(AquaDashError):
    """The app's server did not answer, or a page failed."""


@dataclass
class TabCounts:
    """Counts of a tab so far."""

    #: Of the connection, without pictures and other files.
    bytes_received: int = 0
    #: Requests to redraw a fragment.
    redraws: int = 0
    #: Messages of exceptions on the page, and of failed requests.
    errors: list[str] = field(default_factory=list)


class Tab:
    """One tab: ``await open()``, :meth:`go` from page to page, ``await close()``."""

    def __init__(self, address: str, *, listener: Listener | None = None) -> None:
        self.counts = TabCounts()
        self._address = address
        self._listener = listener
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._script = ""
        self._query = ""
        self._pages: dict[str, str] = {}
        self._timers: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._kept: dict[str, tuple[int, str]] = {}
        self._runs = 0
        self._drawn: asyncio.Future[None] | None = None
        self._answered = False
        self._loaded: set[str] = set()
        self._loading: set[asyncio.Task[None]] = set()
        self._quiet = False

    async def open(self) -> None:
        """Load the frame of the app and connect."""
        try:
            page = await asyncio.to_thread(self._get, "/")
            for asset in _ASSET.findall(page):
                await asyncio.to_thread(self._get, f"/{asset.decode()}")
            self._connection = await connect(
                f"ws://{self._address}/_stcore/stream",
                subprotocols=[Subprotocol("streamlit")],
                max_size=None,
                open_timeout=_OPEN_SECONDS,
                # The server compresses nothing for a browser on the same computer.
                compression=None,
            )
        except OSError as error:
            raise ServerError(f"The app's server at {self._address} does not answer ({error}).") from None
        self._reader = asyncio.create_task(self._read())

    async def go(self, page: str, query: str = "") -> float:
        """Change to a page, wait until its script has ended, and return the seconds."""
        self._query = query
        self._answered = False
        self._drawn = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        name = "" if page == FIRST else page
        known = self._pages.get(addresses(page)[0], "")
        await self._rerun(page_hash=known, page_name="" if known else name)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._drawn
        except TimeoutError:
            raise ServerError(f"The page {page} was not drawn within {_ANSWER_SECONDS:.0f} s.") from None
        return time.perf_counter() - began

    def quiet(self, quiet: bool) -> None:
        """Pause the requests for redraws, as the browser of a sleeping computer does, or resume them."""
        self._quiet = quiet

    async def close(self) -> None:
        """Close the tab."""
        self._stop_timers()
        for task in self._loading:
            task.cancel()
        if self._connection is not None:
            await self._connection.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _rerun(self, *, page_hash: str, page_name: str = "", fragment: str = "") -> None:
        request = BackMsg()
        rerun = request.rerun_script
        rerun.query_string = self._query
        rerun.page_name = page_name
        rerun.page_script_hash = page_hash
        rerun.fragment_id = fragment
        rerun.is_auto_rerun = bool(fragment)
        rerun.cached_message_hashes.extend(self._kept)
        rerun.context_info.timezone = "UTC"
        rerun.context_info.locale = "en-GB"
        rerun.context_info.url = f"http://{self._address}/{page_name}"
        assert self._connection is not None
        await self._connection.send(request.SerializeToString())

    async def _read(self) -> None:
        assert self._connection is not None
        try:
            async for data in self._connection:
                came = time.time()
                raw = data if isinstance(data, bytes) else data.encode()
                self.counts.bytes_received += len(raw)
                message = ForwardMsg()
                message.ParseFromString(raw)
                self._take(message, raw)
                if self._listener is not None:
                    self._listener(raw, came)
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code not in (1000, 1001):
                self.counts.errors.append(f"The connection was closed ({error}).")
        finally:
            self._stop_timers()
            if self._drawn is not None and not self._drawn.done():
                self._drawn.set_exception(ServerError("The app's server closed the connection."))

    def _take(self, message: ForwardMsg, raw: bytes) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._take_element(message, raw)
        elif kind == "ref_hash":
            if message.ref_hash in self._kept:
                self._kept[message.ref_hash] = (self._runs, self._kept[message.ref_hash][1])
            else:
                self.counts.errors.append("The server referred to a message that it had not sent.")
        elif kind == "new_session":
            self._script = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self._stop_timers()
                self._answered = True
        elif kind == "navigation":
            self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment)
        elif kind == "script_finished":
            self._finish(message.script_finished, list(message.metadata.run.fragment_ids))

    def _take_element(self, message: ForwardMsg, raw: bytes) -> None:
        element = message.delta.new_element
        if message.delta.WhichOneof("type") == "new_element" and element.WhichOneof("type") == "exception":
            self.counts.errors.append(element.exception.message)
        if message.metadata.cacheable and message.hash not in self._kept:
            self._kept[message.hash] = (self._runs, message.delta.fragment_id)
        for match in _MEDIA.findall(raw):
            path = match.decode()
            if path not in self._loaded:
                self._loaded.add(path)
                task = asyncio.create_task(self._load(path))
                self._loading.add(task)
                task.add_done_callback(self._loading.discard)

    def _finish(self, status: int, fragments: list[str]) -> None:
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        self._runs += 1
        for each, (used, fragment) in list(self._kept.items()):
            if self._runs - used > _MAX_AGE and (not fragments or fragment in fragments):
                del self._kept[each]
        if fragments or not self._answered or self._drawn is None or self._drawn.done():
            return
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.counts.errors.append("A page cannot be read.")
        self._drawn.set_result(None)

    def _start_timer(self, fragment: str, interval: float) -> None:
        if fragment in self._timers and self._timers[fragment][0] == interval:
            return
        self._stop_timer(fragment)
        self._timers[fragment] = (interval, asyncio.create_task(self._tick(fragment, interval)))

    def _stop_timer(self, fragment: str) -> None:
        if fragment in self._timers:
            self._timers.pop(fragment)[1].cancel()

    def _stop_timers(self) -> None:
        for fragment in list(self._timers):
            self._stop_timer(fragment)

    async def _tick(self, fragment: str, interval: float) -> None:
        """Request a fragment's redraw at fixed intervals, as a browser's timer does."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())
            if not self._quiet:
                self.counts.redraws += 1
                await self._rerun(page_hash=self._script, fragment=fragment)

    async def _load(self, path: str) -> None:
        try:
            await asyncio.to_thread(self._get, path)
        except OSError as error:
            self.counts.errors.append(f"{path} could not be loaded ({error}).")

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(self._address, timeout=_OPEN_SECONDS)
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status >= 400:
                self.counts.errors.append(f"{path} answers {answer.status}.")
            return body
        finally:
            connection.close()
