"""The server's start, what it warms up, the hosts and origins that it answers, its pages, and shrinking of uploads."""

import http.client
import os
import re
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from aquadash.classroom import invitation
from aquadash.data.framing import fit
from aquadash.data.images import SHRINK_BYTES, decode, shrink
from aquadash.errors import StorageError
from aquadash.pages import PAGES, addresses
from aquadash.settings import PROJECT_ROOT
from aquadash.ui import hosts, server
from aquadash.ui.kit import uploads, warmup
from aquadash.ui.server import Shrinking
from tests.classroom.test_auth import ask
from tests.support.app_pages import APP
from tests.support.encoded_pictures import saved
from tests.support.serving import free_port, serving


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("name", ["data", "walkthrough"])
def test_a_link_to_a_fresh_server_leads_to_its_page_in_the_frame(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # AppTest sets an attribute of this class: what the server has said stands.
    monkeypatch.setattr(app_test, "PagesManager", type("AsServed", (PagesManager,), {}))
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)  # As in a new process.
    server.expect_navigation()
    app = AppTest.from_file(APP, default_timeout=60).switch_page(f"pages/{name}.py").run()
    # A page file that runs by itself has no sidebar.
    assert app.title[0].value.endswith(PAGES[name].title) and app.sidebar.children


def test_the_server_starts_in_silence_and_without_what_only_a_class_needs() -> None:
    script = "import sys, app; print(*(name for name in sys.modules if name.startswith('aquadash')))"
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert not done.stderr
    for name in done.stdout.split():
        assert not name.startswith(("aquadash.ui.classroom", "aquadash.classroom.sessions")), name


def test_waiting_jobs_are_served_once_and_a_failed_attempt_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[str] = []
    attempts = iter([StorageError("read-only"), None])

    def open_engine() -> SimpleNamespace:
        if (error := next(attempts)) is not None:
            raise error
        return SimpleNamespace(serve=lambda: served.append("served"))

    monkeypatch.setattr("aquadash.work.queue.open_engine", open_engine)
    for _ in range(4):
        before = set(threading.enumerate())
        warmup.start()
        for thread in set(threading.enumerate()) - before:
            if thread.name.startswith("aquadash"):
                thread.join(60)
    assert served == ["served"]


UPRIGHT = Image.Exif()
UPRIGHT[0x0112] = 6


def grainy(width: int = 1600, height: int = 1200, channels: int = 3) -> Image.Image:
    """A picture that no format makes small."""
    pixels = np.random.default_rng(0).integers(0, 256, (height // 4, width // 4, channels), dtype=np.uint8)
    return Image.fromarray(np.kron(pixels, np.ones((4, 4, 1), np.uint8)) ^ 5).resize(
        (width, height), Image.Resampling.BOX
    )


LARGE = {
    "photo.jpg": lambda: saved(grainy(), "JPEG", quality=99, exif=UPRIGHT),
    "print.jpg": lambda: saved(grainy().convert("CMYK"), "JPEG", quality=99),
    "drawing.png": lambda: saved(grainy(channels=4), "PNG", compress_level=0),
    "scan.png": lambda: saved(Image.fromarray(np.full((1200, 1600), 40_000, np.uint16)), "PNG", compress_level=0),
}


@cache
def large(name: str) -> bytes:
    """One of these files, made where it is asked for: it takes a second."""
    return LARGE[name]()


@pytest.mark.parametrize("name", LARGE)
def test_a_shrunk_picture_is_read_as_the_large_one(name: str) -> None:
    data = large(name)
    small = shrink(data, name=name)
    assert len(small) < 0.7 * len(data)
    before, after = decode(data, name=name), decode(small, name=name)
    assert (after.original_size, after.kind, after.notes) == (before.original_size, before.kind, before.notes)
    assert after.rgb.shape == before.rgb.shape
    seen = [fit(each.rgb, size=(32, 32)).astype(int) for each in (before, after)]
    assert np.abs(seen[0] - seen[1]).max() <= (1 if before.kind == "JPEG" else 0)
    assert shrink(small, name=name) == small or len(shrink(small, name=name)) <= len(small)


def test_small_pictures_other_kinds_and_damaged_files_are_left_alone() -> None:
    small = saved(grainy(64, 64), "JPEG")
    assert shrink(small, name="small.jpg") is small and len(small) <= SHRINK_BYTES
    for name, data in (
        ("photo.webp", saved(grainy(), "WEBP", quality=90, method=0)),
        ("cut.jpg", large("photo.jpg")[: SHRINK_BYTES + 1000]),
        ("wrong.png", large("photo.jpg")),
        ("archive.zip", b"PK\x03\x04" + bytes(SHRINK_BYTES)),
    ):
        assert len(data) > SHRINK_BYTES and shrink(data, name=name) is data, name


def form(name: str, data: bytes) -> bytes:
    head = f'--xx\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    return head.encode() + data + b"\r\n--xx--\r\n"


class Kept:
    """An app that keeps what it is sent, behind what makes it small."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        routes = [Route("/{path:path}", self._keep, methods=["PUT", "POST"])]
        self._app = Starlette(routes=routes, middleware=[Middleware(Shrinking)])

    async def _keep(self, request: Request) -> JSONResponse:
        async with request.form() as sent:
            for file in sent.values():
                assert isinstance(file, UploadFile)
                self.files[file.filename or ""] = await file.read()
        return JSONResponse(int(request.headers.get("content-length", -1)))

    def send(self, path: str, body: bytes, *, method: str = "PUT", length_is_told: bool = True) -> None:
        headers = {"content-type": "multipart/form-data; boundary=xx"}
        if length_is_told:
            headers["content-length"] = str(len(body))
        assert ask(self._app, path, method=method, body=body, headers=headers).status == 200


def test_photographs_are_small_when_they_are_kept_and_anything_else_comes_through_as_it_was_sent() -> None:
    kept, photo, archive = Kept(), large("photo.jpg"), b"PK\x03\x04" + bytes(26_000_000)
    kept.send(f"{uploads.PATH}session/1", form("photo.jpg", photo))
    small = kept.files["photo.jpg"]
    assert len(small) < 0.7 * len(photo)
    assert decode(small, name="photo.jpg").original_size == decode(photo, name="photo.jpg").original_size

    for name, data, path, method, told in (
        ("broken.jpg", photo[:600_000], f"{uploads.PATH}s/1", "PUT", True),
        ("archive.zip", archive, f"{uploads.PATH}s/2", "PUT", True),
        ("pieces.jpg", photo, f"{uploads.PATH}s/3", "PUT", False),
        ("elsewhere.jpg", photo, "/class/join", "POST", True),
    ):
        kept.send(path, form(name, data), method=method, length_is_told=told)
        assert kept.files[name] == data, name


@pytest.mark.parametrize("command", ["streamlit run app.py --server.port", "aquadash classroom serve --port"])
def test_the_server_does_not_start_below_a_path(command: str, home: Path) -> None:
    environment = os.environ | {"AQUADASH_HOME": str(home), "STREAMLIT_SERVER_BASE_URL_PATH": "lab"}
    words = [sys.executable, "-m", *command.split(), str(free_port())]
    ended = subprocess.run(words, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1 and "cannot be served below a path" in ended.stderr and "Traceback" not in ended.stderr


def test_the_app_gets_its_style_with_its_page_and_nothing_else_does() -> None:
    app = Starlette(routes=server.routes())
    for address in ("/", "/train", "/nonsense"):
        page = ask(app, address)
        head, style, body = page.body.partition("<style>")
        assert "</head>" in head and style and ".aqua-card" in body and '</style><div id="root"></div>' in body
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-type"].startswith("text/html") and "etag" not in page.headers
    for name, record in PAGES.items():
        early = re.findall(r'import\("\./static/js/(\w+)\.[^"/]+\.js"\)', ask(app, f"/{addresses(name)[-1]}").body)
        assert sorted(early) == sorted(record.code), name
    for address in ("/favicon.png", "/_stcore/health", "/static/js/index.js", "/class/join"):
        assert ask(app, address).status == 404, address


def answers(host: str, origin: str | None = None) -> tuple[int, int]:
    """Return the status of a request and of a WebSocket with this ``Host`` and ``Origin``; 101: it was let in."""

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("inside")

    async def connection(websocket: WebSocket) -> None:
        await websocket.accept()

    routes = [WebSocketRoute("/", connection), Route("/", page)]
    app = Starlette(routes=routes, middleware=hosts.middleware())
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    return ask(app, "/", headers=headers).status, ask(app, "/", headers=headers, scheme="ws").status


@pytest.fixture
def listens_on(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The address that the server listens on, under ``"server.address"``."""
    options = {"server.address": "localhost"}
    monkeypatch.setattr(st, "get_option", options.__getitem__)
    monkeypatch.setattr(invitation, "addresses", lambda: ["192.168.1.5"])
    return options


@pytest.mark.usefixtures("listens_on")
@pytest.mark.parametrize("host", ["localhost:8501", "LocalHost", "127.0.0.1:8501", "[::1]:8501"])
def test_this_computer_is_answered_from_its_own_pages_alone(host: str) -> None:
    assert answers(host) == answers(host, f"http://{host}") == (200, 101)
    name = host.removesuffix(":8501")
    for origin in (f"http://{name}:8502", "http://evil.example", "http://evil.example:8501", "null", ""):
        assert answers(host, origin) == (403, 403), origin


@pytest.mark.usefixtures("listens_on")
@pytest.mark.parametrize(
    "host", ["evil.example:8501", "evil.example", "localhost.evil.example", "192.168.1.5:8501", "", "[::2]", "a@b"]
)
def test_any_other_host_is_refused(host: str) -> None:
    assert answers(host) == answers(host, f"http://{host}") == (400, 400)


def test_a_class_is_answered_at_the_addresses_that_are_printed(listens_on: dict[str, str]) -> None:
    for address in ("0.0.0.0", "::"):
        listens_on["server.address"] = address
        assert answers("192.168.1.5:8501", "http://192.168.1.5:8501") == (200, 101)
    for address, host in (("10.0.0.7", "10.0.0.7:8501"), ("FD00:0:0::7", "[fd00::7]:8501")):
        listens_on["server.address"] = address
        assert answers(host, f"http://{host}") == (200, 101)
        assert answers("192.168.1.5:8501") == (400, 400)


@pytest.mark.usefixtures("listens_on")
def test_a_proxy_has_the_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUADASH_PUBLIC_ADDRESS", "https://Lab.school.example:8443")
    origin = "https://lab.school.example:8443"
    assert answers("lab.school.example:8443", origin) == (200, 101)
    assert answers("localhost:8501", origin) == (200, 101), "a proxy that sets Host"
    assert answers("lab.school.example:8443", "https://lab.school.example") == (403, 403)


def test_a_served_app_refuses_pages_that_rebind_a_name_and_listens_at_its_printed_address(home: Path) -> None:
    """The hosts are made before the first request, from the server's own address."""
    address = next(iter(invitation.addresses()), "")
    if not address:
        pytest.skip("this computer has no address in a network")
    with serving(home, STREAMLIT_SERVER_ADDRESS="0.0.0.0", AQUADASH_CLASSROOM="1") as running:
        port = int(running.address.rpartition(":")[2])

        def status(host: str, *, origin: str = "", path: str = "/class/join") -> int:
            connection = http.client.HTTPConnection(address, port, timeout=60)
            connection.request(
                "GET", path, headers={"Host": f"{host}:{port}", "Origin": origin or f"http://{host}:{port}"}
            )
            return connection.getresponse().status

        assert status(address) == status("localhost") == 200
        for path in ("/class/join", "/compare", "/_stcore/stream"):
            assert status("evil.example", path=path) == 400
            assert status("localhost", origin="http://localhost:1", path=path) == 403
