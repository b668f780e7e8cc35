"""Joining a class with an account (OpenID Connect): what the door and the join page do."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from streamlit import auth_util
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from aquadash.classroom.sessions import open_sessions
from aquadash.people import Person, Role
from aquadash.ui.classroom import accounts, door, routes
from aquadash.ui.classroom.visitors import COOKIE
from tests.asgi import ask
from tests.class_door import OWN, class_app, join

SECRET = "s" * 32
LOGIN_ADDRESS = accounts.login_address


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class whose app answers every request that reaches it."""
    return class_app(monkeypatch)


@pytest.fixture
def accounts_app(app: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same where people log in with an account."""
    monkeypatch.setattr(routes, "logs_in", lambda: True)
    monkeypatch.setattr(door, "logs_in", lambda: True)
    monkeypatch.setattr(accounts, "get_cookie_secret", lambda: SECRET)
    monkeypatch.setattr(accounts, "origin", lambda: "http://lab.school:8501")
    monkeypatch.setattr(accounts, "login_address", lambda: "/auth/login?provider=x")
    return app


def logged_in(secret: str = SECRET, **said: Any) -> dict[str, str]:
    """The cookies that Streamlit sets after logging in, in pieces if need be."""
    kept: dict[str, str] = {}
    auth_util.set_cookie_with_chunks(
        lambda name, value: kept.update({name: create_signed_value(secret, name, value).decode()}),
        lambda name, value: create_signed_value(secret, name, value),
        USER_COOKIE_NAME, {"iss": "https://id", "sub": "1", "name": "Anna", "is_logged_in": True, **said},
        cookie_attr_size=80,
    )  # fmt: skip
    return {"cookie": "; ".join(f"{name}={value}" for name, value in kept.items())}


def test_where_people_log_in_there_are_no_codes_and_the_door_is_the_same(accounts_app: Any) -> None:
    for path in ("/media/x", "/_stcore/upload_file/s/f", "/_stcore/metrics", "/auth/other", "/oauth2callbacks"):
        for headers in ({}, logged_in()):
            assert "inside" not in ask(accounts_app, path, headers=headers).body, "an account is no session yet"
    assert ask(accounts_app, "/_stcore/stream", scheme="ws", headers=logged_in()).status == 403
    for path in accounts.STREAMLIT_PATHS:
        assert ask(accounts_app, path).body == "inside"
    page = ask(accounts_app, "/class/join", query="next=%2Fevaluate%3Frun%3D1")
    assert 'href="http://lab.school:8501/class/login?next=%2Fevaluate%3Frun%3D1"' in page.body
    assert "<form" not in page.body and join(accounts_app).status == 404


def test_with_codes_the_way_to_a_service_is_shut(app: Any) -> None:
    assert [ask(app, path).body == "inside" for path in accounts.STREAMLIT_PATHS] == [False] * 3
    assert ask(app, "/class/login").status == 404
    assert "You are in" not in ask(app, "/class/join", headers=logged_in()).body


def test_who_has_logged_in_joins_and_goes_where_they_wanted_to(accounts_app: Any) -> None:
    sent = ask(accounts_app, "/class/login", query="next=%2Fevaluate%3Frun%3D1%3B2")
    assert (sent.status, sent.headers["location"]) == (303, "/auth/login?provider=x")
    wanted = sent.headers["set-cookie"].partition(";")[0]
    account = logged_in(name="Anna " + "x" * 5000)
    back = ask(accounts_app, "/class/join", query="next=%2F", headers={"cookie": f"{account['cookie']}; {wanted}"})
    assert (back.status, back.headers["location"]) == (303, "/evaluate?run=1;2")
    (anna,) = open_sessions().people()
    assert anna.sessions == 1 and anna.person.name.startswith("Anna xxx")
    assert ask(accounts_app, "/class/join", query="next=%2Fdata", headers=account).headers["location"] == "/data"
    evil = {"cookie": f"{account['cookie']}; aquadash_wanted=//evil.example"}
    assert ask(accounts_app, "/class/join", headers=evil).headers["location"] == "/"


def test_who_comes_back_without_having_logged_in_is_told_and_may_try_again(accounts_app: Any) -> None:
    answer = ask(accounts_app, "/class/join", query="next=%2F", headers={"cookie": "aquadash_wanted=/data"})
    assert "You were not logged in" in answer.body and "class/login?next=%2Fdata" in answer.body
    assert "You were not logged in" not in ask(accounts_app, "/class/join").body


def test_a_log_in_counts_once_it_is_signed_and_as_long_as_it_is_new(
    accounts_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in (
        logged_in("t" * 32),
        logged_in(is_logged_in=False),
        logged_in(sub=""),
        {"cookie": "_streamlit_user=x"},
    ):
        answer = ask(accounts_app, "/class/join", headers=wrong)
        assert "Log in" in answer.body and "set-cookie" not in answer.headers
    account = logged_in()
    monkeypatch.setattr(accounts, "FRESH_SECONDS", -1)
    assert "Log in" in ask(accounts_app, "/class/join", headers=account).body
    assert open_sessions().people() == []


def test_a_secret_that_can_be_guessed_lets_nobody_in(accounts_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "get_cookie_secret", lambda: "xxx")
    answer = ask(accounts_app, "/class/join", headers=logged_in("xxx"))
    assert answer.status == 500 and "cookie_secret" in answer.body and open_sessions().people() == []


def test_leaving_goes_on_to_log_out(accounts_app: Any) -> None:
    joined = open_sessions().enter(Person("a" * 32, "Anna", Role.STUDENT))
    own = {"cookie": f"{COOKIE}={joined.token}"}
    answer = ask(accounts_app, "/class/leave", method="POST", form={}, headers={**OWN, **own})
    assert (
        f'content="0;url={accounts.LOGOUT_PATH}"' in answer.body and "max-age=0" in answer.headers["set-cookie"].lower()
    )
    assert ask(accounts_app, "/media/x", headers=own).status == 401


def test_what_is_missing_for_logging_in_is_said(accounts_app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "login_address", LOGIN_ADDRESS)
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    answer = ask(accounts_app, "/class/login")
    assert answer.status == 500 and "scripts/requirements-accounts.txt" in answer.body
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", ModuleType("there"))
    answer = ask(accounts_app, "/class/login")
    assert answer.status == 500 and "Logging in is not set up" in answer.body
