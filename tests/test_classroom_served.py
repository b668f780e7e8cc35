"""A class as it is served, and what one of its pupils may send it."""

from __future__ import annotations

import http.client
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from aquadash.classroom import codes
from tests.serving import Server, serving


def request(
    server: Server, path: str, *, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
    connection.request(method, path, body, headers or {})
    return connection.getresponse()


def _join(server: Server, name: str) -> dict[str, str]:
    """Somebody joins; returns the header that proves it."""
    form = urlencode({"name": name, "code": codes.codes().student, "next": "/"}).encode()
    headers = {"Origin": server.url, "Content-Type": "application/x-www-form-urlencoded"}
    answer = request(server, "/class/join", method="POST", body=form, headers=headers)
    assert answer.status == 303
    return {"Cookie": str(answer.headers["set-cookie"]).partition(";")[0]}


@contextmanager
def _page(server: Server, cookie: dict[str, str]) -> Iterator[str]:
    """A page that is open; yields the id of its session."""
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    with connect(address, subprotocols=[Subprotocol("streamlit")], additional_headers=cookie, max_size=None) as page:
        rerun = BackMsg()
        rerun.rerun_script.page_name = "data"
        page.send(rerun.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(bytes(page.recv(timeout=60)))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                yield message.new_session.initialize.session_id
                return


@pytest.fixture(scope="module")
def shared_class(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("class")
    shutil.copytree(prepared_home, home, dirs_exist_ok=True)
    with serving(home, AQUADASH_CLASSROOM="1") as server:
        yield server


@pytest.fixture
def server(shared_class: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """One class for all tests, which come in under names of their own."""
    monkeypatch.setenv("AQUADASH_HOME", str(shared_class.home))
    return shared_class


def test_an_upload_into_the_page_of_another_is_refused(server: Server) -> None:
    anna, ben = _join(server, "Anna with a page"), _join(server, "Ben with none")
    token = str(request(server, "/_stcore/health").headers["set-cookie"]).partition(";")[0]
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'

    def send(method: str, who: dict[str, str], session: str) -> int:
        headers = {
            "Cookie": f"{who['Cookie']}; {token}", "X-Xsrftoken": token.partition("=")[2],
            "Content-Type": "multipart/form-data; boundary=x",
        }  # fmt: skip
        return request(server, f"/_stcore/upload_file/{session}/f", method=method, body=form, headers=headers).status

    with _page(server, anna) as session:
        for method in ("PUT", "DELETE"):
            assert send(method, ben, session) == 403
            assert send(method, anna, session) == 204
        assert request(server, "/_stcore/metrics", headers=anna).status == 404
