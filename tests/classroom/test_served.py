"""A class as it is served, also behind the reverse proxy of ``docs/security.md``."""

import http.client
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from aquadash.classroom import codes
from aquadash.settings import PROJECT_ROOT
from tests.support.serving import Server, free_port, serving, start_server
from tests.support.waiting import wait_for

needs_caddy = pytest.mark.skipif(shutil.which("caddy") is None, reason="needs Caddy: apt-get install caddy")


def request(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", body: bytes = b"", **headers: str
) -> http.client.HTTPResponse:
    connection.request(method, path, body, headers)
    return connection.getresponse()


def join(connection: http.client.HTTPConnection, name: str, origin: str) -> str:
    """Join the class; return the cookie with its flags."""
    form = urlencode({"name": name, "code": codes.codes().student, "next": "/"}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = request(connection, "/class/join", "POST", form, Origin=origin, **kind)
    assert answer.status == 303
    return str(answer.headers["set-cookie"])


@contextmanager
def open_page(server: Server, cookie: str) -> Iterator[str]:
    """Open a page; yield the id of its session."""
    address, headers = f"ws://{server.address}/_stcore/stream", {"Cookie": cookie}
    with connect(address, subprotocols=[Subprotocol("streamlit")], additional_headers=headers, max_size=None) as page:
        rerun = BackMsg()
        rerun.rerun_script.page_name = "data"
        page.send(rerun.SerializeToString())
        while True:
            message = ForwardMsg.FromString(bytes(page.recv(timeout=60)))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "new_session":
                yield message.new_session.initialize.session_id
                return


def test_an_upload_into_the_page_of_another_is_refused(served_class: Server) -> None:
    def connection() -> http.client.HTTPConnection:
        return http.client.HTTPConnection(served_class.address, timeout=60)

    anna, ben = (join(connection(), name, served_class.url).partition(";")[0] for name in ("Anna here", "Ben here"))
    token = str(request(connection(), "/_stcore/health").headers["set-cookie"]).partition(";")[0]
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'

    def send(method: str, cookie: str, session: str) -> int:
        kind = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": token.partition("=")[2]}
        path, cookies = f"/_stcore/upload_file/{session}/f", f"{cookie}; {token}"
        return request(connection(), path, method, form, Cookie=cookies, **kind).status

    with open_page(served_class, anna) as session:
        for method in ("PUT", "DELETE"):
            assert send(method, ben, session) == 403
            assert send(method, anna, session) == 204
    assert request(connection(), "/_stcore/metrics", Cookie=anna).status == 404


def documented() -> str:
    """Return the Caddyfile of the documentation."""
    text = (PROJECT_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```caddy\n(.*?)```", text, re.DOTALL)
    return str(example)


def caddy(command: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start Caddy with the configuration in a folder, which gets its certificates and log."""
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    words = ["caddy", command, "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    return start_server(words, folder / "caddy.log", env=environment)


@needs_caddy
def test_the_documented_configuration_is_valid(tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text(documented())
    log = tmp_path / "caddy.log"
    assert caddy("validate", tmp_path).wait(60) == 0, log.read_text()


def secure_connection(port: int, trusted: ssl.SSLContext) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("localhost", port, timeout=60, context=trusted)


@pytest.fixture
def proxy(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Serve a class behind the documented proxy; yield its port and what trusts its certificate."""
    port = free_port()
    with serving(home, AQUADASH_CLASSROOM="1", AQUADASH_PUBLIC_ADDRESS=f"https://localhost:{port}") as server:
        text = documented()
        for written, here in (
            ("127.0.0.1:8501", server.address),
            ("lab.school.example", f"localhost:{port}"),
            ("    reverse_proxy", "    tls internal\n    reverse_proxy"),
            ("    servers", "    admin off\n    auto_https disable_redirects\n    skip_install_trust\n    servers"),
        ):
            assert text.count(written) == 1, written
            text = text.replace(written, here)
        (tmp_path / "Caddyfile").write_text(text)
        running = caddy("run", tmp_path)
        try:
            root = tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            trusted = wait_for(lambda: root.exists() and ssl.create_default_context(cafile=str(root)))

            def listens() -> bool:
                try:
                    return request(secure_connection(port, trusted), "/_stcore/health").status == 200
                except OSError:
                    return False

            wait_for(listens, saying=(tmp_path / "caddy.log").read_text)
            yield port, trusted
        finally:
            running.terminate()
            running.wait(20)


@needs_caddy
@pytest.mark.soak
def test_a_class_works_behind_the_documented_proxy(proxy: tuple[int, ssl.SSLContext]) -> None:
    port, trusted = proxy
    own = f"https://localhost:{port}"
    cookie = join(secure_connection(port, trusted), "Anna", own)
    assert "secure" in cookie.lower(), "the app knows that the browser speaks HTTPS"
    member = {"Cookie": cookie.partition(";")[0]}

    def connects(origin: str) -> int:
        address = f"wss://localhost:{port}/_stcore/stream"
        try:
            with connect(address, ssl=trusted, origin=Origin(origin), additional_headers=member):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert [connects(own), connects(f"http://localhost:{port + 1}")] == [101, 403]
