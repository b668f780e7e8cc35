"""The page and forms of joining and leaving, outside of Streamlit.

Only a response of the server can set a cookie that scripts of a page cannot read.
"""

from __future__ import annotations

import html
import secrets
import threading
from collections.abc import Awaitable, Callable
from functools import lru_cache, partial, wraps
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from cachetools import TTLCache
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aquadash.classroom.codes import tidy
from aquadash.classroom.invitation import JOIN_PATH, LEAVE_PATH
from aquadash.classroom.joining import Attempts, TooManyAttemptsError, WrongCodeError, join, new_names
from aquadash.classroom.sessions import Joined, NameTakenError, open_sessions
from aquadash.errors import AquaDashError, ConfigError, NotAllowedError
from aquadash.people import Person
from aquadash.ui.classroom.admission import COOKIE

#: A browser keeps the cookie longer than the session lasts, to prove next week that the name is that person's.
COOKIE_SECONDS = 30 * 86400
#: More than a name, a code and an address need.
_MAX_BYTES = 10_000

#: More letters than a form has whose sender is let in.
_MAX_FORM = 200

_attempts = Attempts()
_new_names = new_names()
#: What came of the last minute's forms, by what was in them: a word of its own, too, that nobody can guess.
_joined: TTLCache[tuple[str, ...], Joined] = TTLCache(1000, 60.0)
_joining = threading.Lock()


def routes() -> list[Route]:
    """Return the routes of a class."""
    return [
        Route(JOIN_PATH, _told(_join_page), methods=["GET"]),
        Route(JOIN_PATH, _told(_join), methods=["POST"]),
        Route(LEAVE_PATH, _told(_leave), methods=["POST"]),
    ]


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint; what it cannot do is said on the join page."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except AquaDashError as error:
            return _page(request, status=500, error=str(error), next=own_path(request.query_params.get("next")))

    return answer


def own_path(wanted: str | None) -> str:
    """An address within this app; the first page for any other, so that no link leads out of here by way of joining."""
    if not wanted or len(wanted) > 4000 or not wanted.startswith("/") or wanted.startswith(("//", "/\\", "/class/")):
        return "/"
    # Browsers drop tabs and line ends from addresses, and what follows them may be another host.
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in wanted) or "\\" in wanted:
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc else wanted


async def _join_page(request: Request) -> Response:
    person = await _person(request)
    wanted = request.query_params.get("next")
    if person is not None and wanted:
        return RedirectResponse(own_path(wanted), 303, headers={"Cache-Control": "no-store"})
    code, rejoin = (tidy(request.query_params.get(name, ""))[:20] for name in ("code", "rejoin"))
    return _page(request, person=person, code=code, rejoin=rejoin, next=own_path(wanted))


async def _join(request: Request) -> Response:
    if not _same_origin(request):
        return _page(request, status=403, error="This form was sent from another site. Use the form below.")
    told = request.headers.get("content-length", "")
    # The server holds a body to the length that was told; of one that comes in pieces that says nothing.
    if "transfer-encoding" in request.headers or not (
        told.isascii() and told.isdecimal() and len(told) < 8 and int(told) <= _MAX_BYTES
    ):
        return _page(request, status=413, error="The form is too long. Type a name of at most 40 characters.")
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in ("once", "name", "code", "rejoin", "next")}
    address = request.client.host if request.client else ""
    wanted = own_path(typed.pop("next"))
    earlier = request.cookies.get(COOKIE)
    try:
        if typed["rejoin"]:
            enter = partial(open_sessions().rejoin, typed["rejoin"], earlier_token=earlier)
        else:
            enter = partial(
                join, open_sessions(), _attempts, _new_names, name=typed["name"], code=typed["code"], address=address,
                earlier_token=earlier,
            )  # fmt: skip
        joined = await run_in_threadpool(_once, tuple(typed.values()), enter)
    except NameTakenError as error:
        return _page(
            request, status=409, error=str(error), wrong="name", name=error.suggestion, code=typed["code"], next=wanted
        )
    except TooManyAttemptsError as error:
        answer = _page(
            request, status=429, error=str(error), wrong="code", name=typed["name"], code=typed["code"], next=wanted
        )
        answer.headers["Retry-After"] = str(max(1, round(error.seconds)))
        return answer
    except WrongCodeError as error:
        return _page(request, status=403, error=str(error), wrong="code", name=typed["name"], next=wanted)
    except NotAllowedError as error:
        return _page(request, status=403, error=str(error), next=wanted)
    except ConfigError as error:
        return _page(
            request, status=400, error=str(error), wrong="name", name=typed["name"], code=typed["code"], next=wanted
        )
    except AquaDashError as error:
        return _page(request, status=500, error=str(error), name=typed["name"], next=wanted)
    return _let_in(request, joined, wanted)


def _once(form: tuple[str, ...], enter: Callable[[], Joined]) -> Joined:
    """Let the sender of a form in, and again as the same session if its answer was lost, as by a double click."""
    with _joining:
        joined = _joined.get(form)
        if joined is None or open_sessions().person_of(joined.token) is None:
            joined = enter()
            if form[0] and sum(map(len, form)) <= _MAX_FORM:
                _joined[form] = joined
        return joined


def _let_in(request: Request, joined: Joined, wanted: str) -> Response:
    # The name may hold anything a person is called; where it leads is ours.
    response = RedirectResponse(quote(wanted, safe="/?&=%#:,;+-_.~!*'()@$"), 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE, joined.token, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


async def _leave(request: Request) -> Response:
    if not _same_origin(request):
        return _page(request, status=403, error="This form was sent from another site. Use the form below.")
    await run_in_threadpool(open_sessions().leave, request.cookies.get(COOKIE))
    response = RedirectResponse(JOIN_PATH, 303, headers={"Cache-Control": "no-store"})
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def onward(there: str, text: str) -> Response:
    """A page that leads on by itself.

    Not a redirection: who comes from another site sends no ``SameSite=Strict`` cookie along after being redirected, and
    a form of ours may not lead to another site.
    """
    there = html.escape(there, quote=True)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>AquaDash</title>'
        f'<meta http-equiv="refresh" content="0;url={there}"></head><body><p><a href="{there}">{text}</a></p></body>'
        "</html>",
        headers={"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"},
    )


async def _person(request: Request) -> Person | None:
    return await run_in_threadpool(open_sessions().person_of, request.cookies.get(COOKIE))


def _same_origin(request: Request) -> bool:
    """Whether the form was on a page of this app: browsers say with every form where it comes from."""
    came_from = request.headers.get("origin") or request.headers.get("referer") or ""
    host = request.headers.get("host", "")
    return bool(host) and urlsplit(came_from).netloc == host


def _page(request: Request, *, status: int = 200, person: Person | None = None, **values: Any) -> Response:
    nonce = secrets.token_urlsafe(16)
    shown = {"error": "", "wrong": "", "name": "", "code": "", "rejoin": "", "next": "/", **values}
    shown["once"] = secrets.token_urlsafe(16)
    text = _template().render(person=person, nonce=nonce, join=JOIN_PATH, leave=LEAVE_PATH, **shown)
    return HTMLResponse(
        text,
        status,
        headers={
            "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
            # With "no-referrer" browsers would not say where the form comes from.
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        },
    )


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("aquadash.ui.classroom", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("join.html.j2")
