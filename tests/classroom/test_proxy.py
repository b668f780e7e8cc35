"""The reverse proxy of ``docs/security.md``: its configuration is valid, and a class works behind it."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from aquadash.classroom import codes
from aquadash.settings import PROJECT_ROOT
from tests.support.serving import free_port, serving, start_server
from tests.support.waiting import wait_for

pytestmark = pytest.mark.skipif(shutil.which("caddy") is None, reason="needs Caddy: apt-get install caddy")


def documented() -> str:
    """Return the Caddyfile of the documentation."""
    text = (PROJECT_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"```caddy\n(.*?)```", text, re.DOTALL)
    return str(found)


def caddy(command: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start Caddy with the configuration in a folder, which gets its certificates and log."""
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    words = ["caddy", command, "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    return start_server(words, folder / "caddy.log", env=environment)


def test_the_documented_configuration_is_valid(tmp_path: Path) -> None:
    (tmp_path / "Caddyfile").write_text(documented())
    log = tmp_path / "caddy.log"
    assert caddy("validate", tmp_path).wait(60) == 0, log.read_text()


@pytest.fixture
def proxy(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, ssl.SSLContext]]:
    """Serve a class behind the documented proxy with lower limits; yield its port and what trusts its certificate."""
    port = free_port()
    with serving(home, AQUADASH_CLASSROOM="1", AQUADASH_PUBLIC_ADDRESS=f"https://localhost:{port}") as server:
        text = documented()
        for written, here in (
            ("127.0.0.1:8501", server.address),
            ("lab.school.example", f"localhost:{port}"),
            ("    reverse_proxy", "    tls internal\n    reverse_proxy"),
            ("    servers", "    admin off\n    auto_https disable_redirects\n    skip_install_trust\n    servers"),
            ("read_header 10s", "read_header 1s"),
            ("210MB", "1MB"),
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
                    return request(port, trusted, "GET", "/_stcore/health").status == 200
                except OSError:
                    return False

            wait_for(listens, saying=(tmp_path / "caddy.log").read_text)
            yield port, trusted
        finally:
            running.terminate()
            running.wait(20)


def request(
    port: int, trusted: ssl.SSLContext, method: str, path: str, body: bytes = b"", **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=trusted)
    connection.request(method, path, body, headers)
    return connection.getresponse()


@pytest.mark.soak
def test_a_class_works_behind_the_documented_proxy(proxy: tuple[int, ssl.SSLContext]) -> None:
    port, trusted = proxy
    own = f"https://localhost:{port}"
    form = urlencode({"name": "Anna", "code": codes.codes().student, "next": "/data"}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    joined = request(port, trusted, "POST", "/class/join", form, Origin=own, **kind)
    cookie = str(joined.headers["set-cookie"])
    assert joined.status == 303 and "secure" in cookie.lower(), "the app knows that the browser speaks HTTPS"
    member = {"Cookie": cookie.partition(";")[0]}

    def connects(origin: str) -> int:
        address = f"wss://localhost:{port}/_stcore/stream"
        try:
            with connect(address, ssl=trusted, origin=Origin(origin), additional_headers=member):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert [connects(own), connects(f"http://localhost:{port + 1}")] == [101, 403]
    small, large = (
        request(port, trusted, "PUT", "/_stcore/upload_file/s/f", bytes(size), **member).status
        for size in (100_000, 2_000_000)
    )
    # 403 comes from the app, as session s is unknown. Caddy 2.6 answers 502 where later versions answer 413.
    assert small == 403 and large in (413, 502)
    with socket.create_connection(("localhost", port), timeout=60) as plain:
        with trusted.wrap_socket(plain, server_hostname="localhost") as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHost:")
            assert slow.recv(1) == b"", "a request that does not come ends its connection"
