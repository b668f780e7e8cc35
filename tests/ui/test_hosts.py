"""Which hosts and origins the app answers."""

import http.client
from pathlib import Path

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from aquadash.classroom import invitation
from aquadash.ui import hosts
from tests.support.asgi import ask
from tests.support.serving import serving


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
