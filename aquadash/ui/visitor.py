"""A visitor that asks a server of the app for pages as a browser does, without one."""

from __future__ import annotations

import time
from types import TracebackType

from aquadash.errors import AquaDashError
from aquadash.pages import FIRST

_OPEN_SECONDS = 120.0
_ANSWER_SECONDS = 300.0


class ServerError(AquaDashError):
    """The app's server could not be started, or did not answer as it should."""


class Visitor:
    """One browser tab on one page.

    Attributes:
        received: Bytes that came with the last answer.
    """

    def __init__(self, address: str, page: str) -> None:
        """Open the connection; the page is not asked for yet.

        Args:
            address: Host and port.
            page: The page's name in the address.
        """
        from websockets.sync.client import connect
        from websockets.typing import Subprotocol

        self.received = 0
        self._page = "" if page == FIRST else page
        self._script = ""
        self._connection = connect(
            f"ws://{address}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            open_timeout=_OPEN_SECONDS,
        )

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def draw(self) -> float:
        """Ask for the page and wait until its script has ended; returns the seconds that took.

        Raises:
            ServerError: The script failed.
        """
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        request = BackMsg()
        request.rerun_script.query_string = ""
        request.rerun_script.page_name = self._page
        request.rerun_script.page_script_hash = self._script
        self.received = 0
        began = time.perf_counter()
        self._connection.send(request.SerializeToString())
        while True:
            data = self._connection.recv(timeout=_ANSWER_SECONDS)
            self.received += len(data)
            message = ForwardMsg()
            message.ParseFromString(data if isinstance(data, bytes) else data.encode())
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self._script = message.new_session.page_script_hash
            elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                raise ServerError(
                    f"The page {self._page or FIRST} failed: {message.delta.new_element.exception.message}"
                )
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return time.perf_counter() - began
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise ServerError(f"The page {self._page or FIRST} cannot be read.")
