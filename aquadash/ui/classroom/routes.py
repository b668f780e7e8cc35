"""The page and forms of joining and leaving: routes, since only a response can set an ``HttpOnly`` cookie."""

import html
import secrets
from collections.abc import Awaitable, Callable
from functools import lru_cache, wraps
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aquadash.classroom.codes import tidy
from aquadash.classroom.invitation import JOIN_PATH, LEAVE_PATH
from aquadash.classroom.joining import Form, Joining, TooManyAttemptsError, WrongCodeError
from aquadash.classroom.sessions import NameTakenError, open_sessions
from aquadash.errors import AquaDashError, ConfigError, NotAllowedError
from aquadash.ui.kit.admission import COOKIE, REMOVED, was_removed

#: Seconds until the cookie expires. It outlives the session: next week it proves that the browser's user owns the name.
COOKIE_SECONDS = 30 * 86400
#: Maximum bytes of a field; the longest is an address of 4,000 characters.
_MAX_FIELD = 8000
_NO_STORE = {"Cache-Control": "no-store"}
_OF_COOKIE: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "strict"}
#: HTTP status of each error, and the field that was wrong.
_ANSWERS: dict[type[AquaDashError], tuple[int, str]] = {
    NameTakenError: (409, "name"),
    TooManyAttemptsError: (429, "code"),
    WrongCodeError: (403, "code"),
    NotAllowedError: (403, ""),
    ConfigError: (400, "name"),
    AquaDashError: (500, ""),
}

entrance = Joining()

Endpoint = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    """Return the routes of a class."""
    return [
        Route(JOIN_PATH, _saying_errors(_join_page), methods=["GET"]),
        Route(JOIN_PATH, _saying_errors(_join), methods=["POST"]),
        Route(LEAVE_PATH, _saying_errors(_leave), methods=["POST"]),
    ]


def _saying_errors(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with its errors shown on the join page, beside the typed values."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except AquaDashError as error:
            status, wrong = next(answer for kind, answer in _ANSWERS.items() if isinstance(error, kind))
            typed: dict[str, str] = getattr(request.state, "typed", {})
            if isinstance(error, NameTakenError):
                typed["name"] = error.suggestion
            if isinstance(error, WrongCodeError):
                typed["code"] = ""
            return _page(status=status, **typed, error=str(error), wrong=wrong)

    return answer


def own_path(wanted: str | None) -> str:
    """Return the wanted address if it is one of this app, else the first page: no open redirect."""
    if not wanted or len(wanted) > 4000 or not wanted.startswith("/") or wanted.startswith(("//", "/\\", "/class/")):
        return "/"
    # Browsers drop tabs and line ends from addresses, which could so name another host.
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in wanted) or "\\" in wanted:
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc else wanted


async def _join_page(request: Request) -> Response:
    person = await run_in_threadpool(open_sessions().person_of, request.cookies.get(COOKIE))
    wanted = request.query_params.get("next")
    if person is not None and wanted:
        return RedirectResponse(own_path(wanted), 303, headers=_NO_STORE)
    code, rejoin = (tidy(request.query_params.get(name, ""))[:20] for name in ("code", "rejoin"))
    removed = not rejoin and await run_in_threadpool(was_removed, request.cookies.get(COOKIE))
    return _page(person=person, error=REMOVED if removed else "", code=code, rejoin=rejoin, next=own_path(wanted))


async def _join(request: Request) -> Response:
    sent = await request.form(max_fields=20, max_part_size=_MAX_FIELD)
    form = Form(*(str(sent.get(name) or "") for name in ("name", "code", "rejoin", "once")))
    wanted = own_path(str(sent.get("next") or ""))
    request.state.typed = {"name": form.name, "code": form.code, "next": wanted}
    address, earlier = request.client.host if request.client else "", request.cookies.get(COOKIE)
    joined = await run_in_threadpool(entrance.enter, open_sessions(), form, address=address, earlier_token=earlier)
    response = RedirectResponse(quote(wanted, safe="/?&=%#:,;+-_.~!*'()@$"), 303, headers=_NO_STORE)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, joined.token, max_age=COOKIE_SECONDS, secure=secure, **_OF_COOKIE)
    return response


async def _leave(request: Request) -> Response:
    await run_in_threadpool(open_sessions().leave, request.cookies.get(COOKIE))
    response = RedirectResponse(JOIN_PATH, 303, headers=_NO_STORE)
    response.delete_cookie(COOKIE, **_OF_COOKIE)
    return response


def onward(target: str, text: str) -> Response:
    """Return a page that forwards the browser, which sends no ``SameSite=Strict`` cookie after a foreign redirect."""
    target = html.escape(target, quote=True)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>AquaDash</title>'
        f'<meta http-equiv="refresh" content="0;url={target}"></head><body><p><a href="{target}">{text}</a></p></body>'
        "</html>",
        headers={**_NO_STORE, "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"},
    )


def _page(*, status: int = 200, **values: Any) -> Response:
    nonce = secrets.token_urlsafe(16)
    shown = {"person": None, "error": "", "wrong": "", "name": "", "code": "", "rejoin": "", "next": "/", **values}
    text = _template().render(nonce=nonce, once=secrets.token_urlsafe(16), join=JOIN_PATH, leave=LEAVE_PATH, **shown)
    return HTMLResponse(
        text,
        status,
        headers={
            **_NO_STORE,
            "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            # With "no-referrer" browsers send the origin "null" with the form, which the app refuses.
            "Referrer-Policy": "same-origin",
        },
    )


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("aquadash.ui.classroom", "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("join.html.j2")
