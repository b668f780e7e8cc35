"""A server of the app of its own, and a visitor that asks it for pages as a browser does, without one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from aquadash.errors import AquaDashError

ROOT = Path(__file__).resolve().parent.parent.parent

_START_SECONDS = 120.0
_ANSWER_SECONDS = 300.0


class ServerError(AquaDashError):
    """The server could not be started, or did not answer as it should."""


@contextmanager
def app_server(home: Path) -> Iterator[str]:
    """Run the app with that home on a free port of this machine until the block ends.

    Yields:
        Its address, without a slash at the end.

    Raises:
        ServerError: It does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    quiet = ["--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none"]
    log = home / "bench-server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *quiet],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "AQUADASH_HOME": str(home)},
        )
    try:
        address = f"127.0.0.1:{port}"
        end = time.monotonic() + _START_SECONDS
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > end:
                raise ServerError(f"The app's server did not start. It says: {log.read_text(errors='replace')[-600:]}")
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
        self._page = "" if page == "home" else page
        self._script = ""
        self._connection = connect(
            f"ws://{address}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
            open_timeout=_START_SECONDS,
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
                    f"The page {self._page or 'home'} failed: {message.delta.new_element.exception.message}"
                )
            elif kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return time.perf_counter() - began
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise ServerError(f"The page {self._page or 'home'} cannot be read.")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
