"""What every request of a class passes: what strangers are answered, and how joining sets the cookie."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from aquadash.classroom import codes
from aquadash.classroom.joining import FREE_CODES, Joining
from aquadash.classroom.sessions import open_sessions
from aquadash.ui import server
from aquadash.ui.classroom import routes
from aquadash.ui.classroom.auth_middleware import AuthMiddleware
from aquadash.ui.hosts import SameOriginMiddleware
from aquadash.ui.kit.admission import COOKIE

OWN = {"origin": "http://lab:8501"}


@dataclass
class Answer:
    """The answer to a request."""

    #: HTTP status; 0: no answer. Of a websocket 101 for accepted and 403 for closed.
    status: int = 0
    #: By name in lower case.
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    #: ``Set-Cookie`` headers.
    cookies: list[str] = field(default_factory=list)
    #: Whether the app read the request.
    read: bool = False


def ask(
    app: Any,
    path: str,
    *,
    method: str = "GET",
    form: Mapping[str, str] | None = None,
    body: bytes = b"",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    client: str = "192.0.2.7",
    scheme: str = "http",
) -> Answer:
    """Send a request, with a form as browsers encode it or a body that comes in pieces."""
    body = urlencode(form).encode() if form is not None else body
    sent = {"host": "lab:8501", **(headers or {})}
    if form is not None:
        sent = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body)), **sent}
    kind = "websocket" if scheme.startswith("ws") else "http"
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "scheme": scheme,
        "client": (client, 50000),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
    }
    answer = Answer()
    incoming: list[dict[str, Any]] = [
        {"type": "http.request", "body": body[start : start + 65_536], "more_body": start + 65_536 < len(body)}
        for start in range(0, max(len(body), 1), 65_536)
    ]
    if kind == "websocket":
        incoming = [{"type": "websocket.connect"}]

    async def receive() -> dict[str, Any]:
        answer.read = True
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            answer.status = message["status"]
            answer.cookies = [value.decode() for name, value in message["headers"] if name.lower() == b"set-cookie"]
            answer.headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        elif message["type"] in ("http.response.body", "websocket.http.response.body"):
            answer.body += message.get("body", b"").decode()
        else:
            answer.status = 403 if message["type"] == "websocket.close" else 101

    asyncio.run(app(scope, receive, send))
    return answer


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class whose app answers every request that reaches it, and where all attempts come at one moment."""
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    monkeypatch.setattr(routes, "entrance", Joining(lambda: 0.0))

    async def inside(request: Request) -> PlainTextResponse:
        return PlainTextResponse("inside")

    async def connection(websocket: WebSocket) -> None:
        await websocket.accept()
        message = ForwardMsg()
        message.new_session.initialize.session_id = websocket.query_params.get("session", "s")
        await websocket.send_bytes(message.SerializeToString())

    return Starlette(
        routes=[
            *routes.routes(),
            WebSocketRoute("/_stcore/stream", connection),
            Route("/{path:path}", inside, methods=["GET", "POST", "PUT", "DELETE"]),
        ],
        middleware=[Middleware(SameOriginMiddleware), Middleware(AuthMiddleware)],
    )


def join(app: Any, name: str = "Anna", code: str | None = None, **more: Any) -> Answer:
    form = {"name": name, "code": codes.codes().student if code is None else code, "next": more.pop("next", "/")}
    return ask(app, "/class/join", method="POST", form=form, headers={**OWN, **more.pop("headers", {})}, **more)


def open_page(app: Any, who: dict[str, str], session: str) -> None:
    """Open a page whose session has this id."""
    assert ask(app, "/_stcore/stream", scheme="ws", headers=who, query=f"session={session}").status == 101


def cookie_of(answer: Answer) -> dict[str, str]:
    token = re.match(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
    assert token
    return {"cookie": f"{COOKIE}={token[1]}"}


@pytest.mark.parametrize("path", ["/", "/evaluate"])
def test_a_stranger_who_asks_for_a_page_gets_the_way_to_join_and_back(app: Any, path: str) -> None:
    answer = ask(app, path, query="run=1&x=%22%3E")
    assert "inside" not in answer.body
    (target,) = re.findall(r'content="0;url=([^"]+)"', answer.body)
    assert parse_qs(urlsplit(unescape(target)).query)["next"] == [f"{path}?run=1&x=%22%3E"]
    assert answer.headers["cache-control"] == "no-store"


REFUSED = (
    "GET /media/x.png, PUT /_stcore/upload_file/s/f, DELETE /_stcore/upload_file/s/f, POST /evaluate, "
    "GET /_stcore/script-health-check, GET /component/x, GET /app/static/x, GET /_stcore/stream"
)


@pytest.mark.parametrize("request_line", REFUSED.split(", "))
def test_nothing_else_leaves_the_server_for_a_stranger(app: Any, request_line: str) -> None:
    method, path = request_line.split()
    answer = ask(app, path, method=method)
    assert (answer.status, "inside" in answer.body) == (401, False)
    assert ask(app, path, method=method, headers={"cookie": f"{COOKIE}=forged"}).status == 401
    assert ask(app, "/_stcore/metrics", headers=cookie_of(join(app))).status == 404, "for the owner alone"


@pytest.mark.parametrize("path", ["/static/js/index.js", "/_stcore/health", "/_stcore/host-config"])
def test_what_is_the_same_for_everybody_is_open(app: Any, path: str) -> None:
    assert ask(app, path).body == "inside"


def test_the_connection_of_a_page_needs_a_session(app: Any) -> None:
    assert ask(app, "/_stcore/stream", scheme="ws").status == 403
    own = cookie_of(join(app))
    assert ask(app, "/_stcore/stream", scheme="ws", headers=own).status == 101
    open_sessions().leave(own["cookie"].partition("=")[2])
    assert ask(app, "/_stcore/stream", scheme="ws", headers=own).status == 403


def test_a_page_takes_and_gives_uploads_for_its_own_person_alone(app: Any) -> None:
    anna, ben = cookie_of(join(app)), cookie_of(join(app, name="Ben"))
    open_page(app, anna, "annas")
    open_page(app, ben, "bens")

    def status(method: str, who: dict[str, str], session: str) -> int:
        headers = {**who, "content-length": "20000"}
        return ask(app, f"/_stcore/upload_file/{session}/f", method=method, headers=headers).status

    for method in ("PUT", "DELETE"):
        assert status(method, anna, "annas") == status(method, ben, "bens") == 200
        for who, session in ((ben, "annas"), (anna, "bens"), (anna, "nobodys")):
            assert status(method, who, session) == 403
    # A browser that was cut off asks to go on with its page by the id of the session.
    again = {"sec-websocket-protocol": "streamlit, token, annas"}
    for who, expected in ((anna, 101), (ben, 403)):
        assert ask(app, "/_stcore/stream", scheme="ws", headers={**who, **again}).status == expected
    assert status("PUT", anna, "annas") == 200


def test_without_a_class_nothing_is_guarded_or_joined(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = codes.codes().student
    monkeypatch.delenv("AQUADASH_CLASSROOM")
    assert AuthMiddleware not in {each.cls for each in server.middleware()}
    served = Starlette(routes=server.routes())
    assert [ask(served, "/class/join").status, join(served, code=code).status] == [404, 404]
    assert open_sessions().people() == []


def test_joining_sets_a_cookie_that_no_script_and_no_other_site_can_use(app: Any) -> None:
    answer = join(app, next="/evaluate?run=1")
    assert (answer.status, answer.headers["location"]) == (303, "/evaluate?run=1")
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags and "secure" not in flags
    assert ask(app, "/media/x", headers=cookie_of(answer)).body == "inside"
    secure = join(app, name="Ben", scheme="https", headers={"origin": "https://lab:8501"})
    assert "secure" in secure.headers["set-cookie"].lower()


ELSEWHERE = (
    r"https://evil.example/ //evil.example /\evil.example \\evil.example javascript:alert(1) evil.example "
    "/class/leave http:/x"
)


@pytest.mark.parametrize(
    "wanted", [*ELSEWHERE.split(), "/\t/evil.example", "/a\r\nSet-Cookie: x=1", "", "/" + "a" * 5000]
)
def test_joining_leads_nowhere_but_into_the_app(app: Any, wanted: str) -> None:
    answer = join(app, next=wanted)
    assert (answer.status, answer.headers["location"]) == (303, "/")


def test_a_form_of_another_site_is_refused(app: Any) -> None:
    own = cookie_of(join(app))
    for origin in ("https://evil.example", "null", "http://lab:8502", "http://lab:8501.evil.example"):
        for path in ("/class/join", "/class/leave"):
            answer = ask(app, path, method="POST", form={}, headers={**own, "origin": origin})
            assert answer.status == 403 and "set-cookie" not in answer.headers
    assert ask(app, "/media/x", headers=own).body == "inside", "nobody else makes somebody leave"


def test_a_member_is_sent_on_and_may_leave_which_ends_the_session_and_takes_the_cookie_away(app: Any) -> None:
    own = cookie_of(join(app, name="Anna <b>"))
    answer = ask(app, "/class/join", query="next=/data", headers=own)
    assert (answer.status, answer.headers["location"]) == (303, "/data")
    page = ask(app, "/class/join", headers=own)
    assert "Anna &lt;b&gt;" in page.body and 'action="/class/leave"' in page.body
    assert ask(app, "/class/leave", headers=own).status != 303, "a link or picture cannot make somebody leave"
    answer = ask(app, "/class/leave", method="POST", form={}, headers={**OWN, **own})
    assert answer.status == 303 and "max-age=0" in answer.headers["set-cookie"].lower()
    assert ask(app, "/media/x", headers=own).status == 401


def test_wrong_codes_are_limited_by_address_with_the_time_to_wait(app: Any) -> None:
    answers = [join(app, code="CCCCCC", client="192.0.2.66") for _ in range(FREE_CODES + 2)]
    assert [answer.status for answer in answers] == [403] * (FREE_CODES + 1) + [429]
    for name, client, status in (("Ben", "192.0.2.66", 429), ("Ben", "192.0.2.67", 303)):
        assert join(app, name=name, client=client).status == status, "the right code has to wait, too"
    assert "Wait 1 s" in answers[-1].body
    assert [member.person.name for member in open_sessions().people()] == ["Ben"]


def test_what_is_wrong_is_said_beside_the_field_and_what_was_typed_is_kept_as_text(app: Any) -> None:
    assert join(app).status == 303
    taken = join(app, name="anna")
    assert taken.status == 409
    assert 'value="anna 2"' in taken.body and 'role="alert"' in taken.body
    named = join(app, name='<script>"x', code="CCCCCC")
    assert "<script>" not in named.body and "&lt;script&gt;" in named.body
    assert join(app, name="").status == 400
    assert "default-src 'none'" in named.headers["content-security-policy"]
    assert named.headers["cache-control"] == "no-store" and "set-cookie" not in named.headers
    assert "<script>" not in ask(app, "/class/join", query="code=%22%3E%3Cscript%3E7fvty3").body
    assert 'value="7FVTY3"' in ask(app, "/class/join", query="code=7fvty3").body


def once(page: Answer) -> str:
    """Return the random word of a form."""
    (word,) = re.findall(r'name="once" value="([^"]+)"', page.body)
    return str(word)


def test_a_form_whose_answer_was_lost_lets_its_sender_in_the_second_time(app: Any) -> None:
    def send(word: str) -> Answer:
        form = {"name": "Anna", "code": codes.codes().student, "once": word}
        return ask(app, "/class/join", method="POST", form=form, headers=OWN)

    own = once(ask(app, "/class/join"))
    with ThreadPoolExecutor() as clicks:
        first, second = clicks.map(send, [own, own])
    assert (first.status, second.status) == (303, 303) and cookie_of(first) == cookie_of(second)
    for other in (once(ask(app, "/class/join")), ""):
        assert send(other).status == 409, "another form is another sender's"
    ask(app, "/class/leave", method="POST", form={}, headers={**OWN, **cookie_of(first)})
    assert send(own).status == 409, "what has ended lets nobody in"


def test_a_link_gives_a_name_back_once_and_only_by_a_form_of_ours(app: Any) -> None:
    join(app)
    (anna,) = open_sessions().people()
    code = open_sessions().rejoin_code(anna.person.person_id)
    now = cookie_of(join(app, name="Anna 2"))
    # Looking at the link, as programs do that show what is behind it, does not use it up.
    for _ in range(2):
        page = ask(app, "/class/join", query=f"rejoin={code}&next=/data")
        assert f'name="rejoin" value="{code}"' in page.body and 'name="name"' not in page.body
    assert '<strong class="name">Anna 2</strong>' in ask(app, "/class/join", query=f"rejoin={code}", headers=now).body
    form = {"rejoin": code, "next": "/data", "once": once(page)}
    answer = ask(app, "/class/join", method="POST", form=form, headers={**OWN, **now})
    assert (answer.status, answer.headers["location"]) == (303, "/data")
    twice = ask(app, "/class/join", method="POST", form=form, headers={**OWN, **now})
    assert cookie_of(twice) == cookie_of(answer), "by a double click"
    assert '<strong class="name">Anna</strong>' in ask(app, "/class/join", headers=cookie_of(answer)).body
    assert ask(app, "/media/x", headers=now).status == 401, "a browser is one person at a time"
    again = ask(app, "/class/join", method="POST", form=form | {"once": ""}, headers=OWN)
    assert again.status == 403 and "Ask the teacher for a new one" in again.body and "set-cookie" not in again.headers


def test_a_form_that_is_too_long_is_not_read(app: Any) -> None:
    assert join(app, name="a" * 20_000).status == 400
    fields = "&".join(f"field{number}=" for number in range(30)).encode()
    kind = {"content-type": "application/x-www-form-urlencoded", **OWN}
    assert ask(app, "/class/join", method="POST", body=fields, headers=kind).status == 400
