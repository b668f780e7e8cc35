"""Joining a class with an account (OpenID Connect): who somebody is, what the middleware and the join page do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse

from aquadash.classroom.sessions import open_sessions
from aquadash.people import STRANGER, Person, Role
from aquadash.ui.classroom import accounts, routes
from aquadash.ui.classroom.accounts import described_by
from aquadash.ui.classroom.admission import COOKIE
from tests.asgi import Answer, ask
from tests.class_app import OWN, class_app, join

REAL_SERVICE = accounts._service
ANNA = {"iss": "https://id", "sub": "1", "name": "Anna"}


class Service:
    """Stands for Authlib's client of the service, which knows one account."""

    client_id = "aquadash"

    def __init__(self) -> None:
        self.claims: dict[str, Any] = ANNA
        self.logout = "https://id/end?a=1&b=2"

    async def authorize_redirect(self, request: Request, redirect_uri: str) -> RedirectResponse:
        request.session["_state"] = "abc"
        return RedirectResponse(f"https://id/authorize?to={redirect_uri}", 302)

    async def authorize_access_token(self, request: Request) -> dict[str, Any]:
        if request.session.pop("_state", None) != request.query_params.get("state"):
            raise ValueError("another browser began this")
        return {"userinfo": self.claims}

    async def create_logout_url(self, *, post_logout_redirect_uri: str, client_id: str) -> dict[str, str]:
        if not self.logout:
            raise RuntimeError("it has no page for that")
        return {"url": self.logout}


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A class whose app answers every request that reaches it; with :func:`service` people log in with an account."""
    return class_app(monkeypatch, logs_in="service" in request.fixturenames)


@pytest.fixture
def service(app: Any, monkeypatch: pytest.MonkeyPatch) -> Service:
    """What knows their accounts."""
    found = Service()
    monkeypatch.setattr(accounts, "_service", lambda: found)
    monkeypatch.setattr(accounts, "_auth", lambda: {"redirect_uri": "http://lab.school:8501/oauth2callback"})
    return found


class Browser:
    """Keeps the cookies of one person."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, **more: Any) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = ask(self._app, path, headers={"cookie": cookies}, **more)
        self.cookies |= dict(each.partition(";")[0].split("=", 1) for each in answer.cookies)
        return answer

    def log_in(self, wanted: str = "%2F") -> Answer:
        self.ask("/class/login", query=f"next={wanted}")
        self.ask("/oauth2callback", query="code=x&state=abc")
        return self.ask("/class/join", query="next=%2F")


def test_where_people_log_in_there_are_no_codes_and_the_middleware_is_the_same(app: Any, service: Service) -> None:
    browser = Browser(app)
    browser.ask("/class/login")
    browser.ask("/oauth2callback", query="code=x&state=abc")
    for path in ("/media/x", "/_stcore/upload_file/s/f", "/_stcore/metrics", "/auth/login", "/oauth2callbacks"):
        assert "inside" not in browser.ask(path).body, "an account is no session yet"
    assert browser.ask("/_stcore/stream", scheme="ws").status == 403
    page = ask(app, "/class/join", query="next=%2Fevaluate%3Frun%3D1")
    assert 'href="http://lab.school:8501/class/login?next=%2Fevaluate%3Frun%3D1"' in page.body
    assert "<form" not in page.body and "set-cookie" not in join(app).headers


def test_with_codes_the_way_to_a_service_is_shut(app: Any) -> None:
    assert not {"/class/login", "/oauth2callback"} & {route.path for route in routes.routes()}
    assert "inside" not in ask(app, "/oauth2callback", query="code=x&state=abc").body
    assert ask(app, "/auth/login").body != "inside"


def test_who_has_logged_in_joins_and_goes_where_they_wanted_to(app: Any, service: Service) -> None:
    service.claims = ANNA | {"name": "Anna " + "x" * 5000}
    browser = Browser(app)
    sent = browser.ask("/class/login", query="next=%2Fevaluate%3Frun%3D1%3B2")
    assert sent.headers["location"] == "https://id/authorize?to=http://lab.school:8501/oauth2callback"
    assert {"httponly", "samesite=lax"} <= set(sent.headers["set-cookie"].lower().split("; "))
    back = browser.ask("/oauth2callback", query="code=x&state=abc")
    assert 'content="0;url=/class/join?next=%2F"' in back.body
    joined = browser.ask("/class/join", query="next=%2F")
    assert (joined.status, joined.headers["location"]) == (303, "/evaluate?run=1;2")
    (anna,) = open_sessions().people()
    assert anna.sessions == 1 and anna.person.name.startswith("Anna xxx")
    assert browser.ask("/media/x").body == "inside"


@pytest.mark.parametrize("wanted", ["%2F%2Fevil.example", "%2F" + "a" * 3000], ids=["elsewhere", "too long"])
def test_logging_in_leads_nowhere_but_into_the_app(app: Any, service: Service, wanted: str) -> None:
    assert Browser(app).log_in(wanted).headers["location"] == "/"


def test_a_log_in_counts_in_the_browser_that_began_it_for_somebody_and_as_long_as_it_is_new(
    app: Any, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Browser(app)
    stranger.ask("/oauth2callback", query="code=x&state=abc")
    assert "Log in" in stranger.ask("/class/join").body
    denied = Browser(app)
    denied.ask("/class/login", query="next=%2Fdata")
    denied.ask("/oauth2callback", query="error=access_denied&state=another")
    said = denied.ask("/class/join").body
    assert "You were not logged in" in said and "class/login?next=%2Fdata" in said
    forged = Browser(app)
    forged.cookies["aquadash_login"] = "eyJhY2NvdW50IjogW119.x.y"
    assert "Log in" in forged.ask("/class/join").body
    service.claims = ANNA | {"sub": ""}
    assert "Log in" in Browser(app).log_in().body
    service.claims = ANNA
    monkeypatch.setattr(accounts, "FRESH_SECONDS", -1)
    assert "Log in" in Browser(app).log_in().body
    assert open_sessions().people() == []


def test_leaving_goes_on_to_log_out_where_the_service_has_a_page_for_it(app: Any, service: Service) -> None:
    for logout, onward in (("https://id/end?a=1&b=2", 'content="0;url=https://id/end?a=1&amp;b=2"'), ("", "")):
        service.logout = logout
        joined = open_sessions().enter(Person("a" * 32, "Anna", Role.STUDENT))
        own = {"cookie": f"{COOKIE}={joined.token}"}
        answer = ask(app, "/class/leave", method="POST", form={}, headers={**OWN, **own})
        assert onward in answer.body and "max-age=0" in answer.headers["set-cookie"].lower()
        assert answer.status == (200 if logout else 303)
        assert ask(app, "/media/x", headers=own).status == 401
    assert 'content="0;url=/class/join?next=%2F"' in ask(app, "/oauth2callback", query="state=x").body


def test_what_is_in_the_way_of_logging_in_is_said(app: Any, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any) -> None:
        raise ConnectionError("no")

    monkeypatch.setattr(service, "authorize_redirect", refuse)
    answer = ask(app, "/class/login")
    assert answer.status == 500 and "does not answer as it should (ConnectionError)" in answer.body
    monkeypatch.setattr(accounts, "_service", REAL_SERVICE.__wrapped__)
    answer = ask(app, "/class/login")
    assert answer.status == 500 and "lacks client_id, client_secret, server_metadata_url" in answer.body
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    answer = ask(app, "/class/login")
    assert answer.status == 500 and "scripts/requirements-accounts.txt" in answer.body


TEACHERS = frozenset({"hill@school.example"})


def claims(**values: Any) -> dict[str, object]:
    return {"iss": "https://id.example", "sub": "1", "name": "Anna", **values}


@pytest.mark.parametrize("said", [{}, {"iss": "x"}, {"sub": "x"}, {"iss": "", "sub": "1"}, {"iss": 1, "sub": 2}])
def test_claims_that_name_nobody_make_a_stranger(said: dict[str, object]) -> None:
    assert described_by(said, teachers=TEACHERS) is STRANGER


def test_issuer_and_subject_together_are_the_person() -> None:
    one = described_by(claims(), teachers=TEACHERS)
    assert len(one.person_id) == 32 and one.role is Role.STUDENT and one.name == "Anna"
    assert described_by(claims(name="Other", email="new@x"), teachers=TEACHERS).person_id == one.person_id
    others = [claims(sub="2"), claims(iss="https://other"), claims(iss="https://id.example1", sub="")]
    assert all(described_by(other, teachers=TEACHERS).person_id != one.person_id for other in others)
    apart = [described_by({"iss": a, "sub": b}, teachers=TEACHERS).person_id for a, b in (("ab", "c"), ("a", "bc"))]
    assert apart[0] != apart[1], "where the one ends and the other begins counts"


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ({"email": "hill@school.example"}, Role.TEACHER),
        ({"email": " Hill@School.example ", "email_verified": True}, Role.TEACHER),
        ({"email": "hill@school.example", "email_verified": "true"}, Role.TEACHER),
        ({"email": "hill@school.example", "email_verified": False}, Role.STUDENT),
        ({"email": "hill@school.example", "email_verified": "false"}, Role.STUDENT),
        ({"email": "hill@school.example", "email_verified": None}, Role.STUDENT),
        ({"email": "hill@school.example.evil"}, Role.STUDENT),
        ({"email": ["hill@school.example"]}, Role.STUDENT),
        ({"name": "hill@school.example"}, Role.STUDENT),
    ],
)
def test_a_verified_address_makes_a_teacher(values: dict[str, object], role: Role) -> None:
    assert described_by(claims(**values), teachers=TEACHERS).role is role


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": "\u202e", "preferred_username": "anna"}, "anna"),
        ({"name": {"first": "Anna"}, "given_name": "Anna"}, "Anna"),
        ({"name": " Anna\t\n Lund\u202e\ud800 "}, "Anna Lund"),
        ({"name": "مى\u200cرود"}, "مىرود"),
        ({"name": "\ufdfa" * 40}, None),
        ({"name": "x" * 300}, "x" * 40),
        ({"name": None}, "Guest 0b83"),
    ],
)
def test_of_a_name_what_can_be_shown_is_kept(said: dict[str, object], name: str | None) -> None:
    found = described_by(claims(**said), teachers=TEACHERS).name
    assert len(found) <= 40 and (found == name or (name is None and found))
