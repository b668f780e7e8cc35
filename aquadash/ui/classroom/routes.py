"""The pages and forms of joining, with a code or an account, and of leaving, outside of Streamlit: only a response of
the server can set a cookie that scripts of a page cannot read."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aquadash import settings
from aquadash.classroom import oidc
from aquadash.classroom.attempts import Attempts, new_names
from aquadash.classroom.codes import tidy
from aquadash.classroom.invitation import JOIN_PATH
from aquadash.classroom.joining import TooManyAttemptsError, WrongCodeError, join
from aquadash.classroom.member_types import Joined, NameTakenError
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError, ConfigError, NotAllowedError
from aquadash.people import Person
from aquadash.ui.classroom import accounts
from aquadash.ui.classroom.visitors import COOKIE, logs_in

LOGIN_PATH = "/class/login"
LEAVE_PATH = "/class/leave"
#: Holds where somebody wanted to go who is away to log in.
_WANTED_COOKIE = "aquadash_wanted"
_NOT_LOGGED_IN = (
    "You were not logged in. Try again. If that does not help, tell the teacher: the console that AquaDash was started "
    "from says why."
)
#: A browser keeps the cookie longer than the session lasts, to prove next week that the name is that person's.
COOKIE_SECONDS = 30 * 86400
#: More than a name, a code and an address need.
_MOST_BYTES = 10_000

_attempts = Attempts()
_new_names = new_names()


def routes() -> list[Route]:
    """The routes; none of them does anything where there is no class."""
    return [
        Route(JOIN_PATH, _join_page, methods=["GET"]),
        Route(JOIN_PATH, _join, methods=["POST"]),
        Route(LOGIN_PATH, _log_in, methods=["GET"]),
        Route(LEAVE_PATH, _leave, methods=["POST"]),
    ]


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
    if not settings.classroom():
        return _no_class()
    person = await _person(request)
    wanted = request.query_params.get("next")
    if person is not None and wanted:
        return RedirectResponse(own_path(wanted), 303, headers={"Cache-Control": "no-store"})
    if person is None and logs_in():
        return await _join_with_account(request, own_path(wanted))
    code, rejoin = (tidy(request.query_params.get(name, ""))[:20] for name in ("code", "rejoin"))
    return _page(request, person=person, code=code, rejoin=rejoin, next=own_path(wanted))


async def _join_with_account(request: Request, wanted: str) -> Response:
    """Let in who comes back from logging in; anybody else is shown the way there."""
    try:
        joined = await run_in_threadpool(
            oidc.enter, accounts.claims(request.cookies), earlier_token=request.cookies.get(COOKIE)
        )
    except AquaDashError as error:
        return _page(request, status=500, error=str(error), next=wanted)
    # Streamlit leads back to the first page, wherever one came from and whatever came out.
    came_from = request.cookies.get(_WANTED_COOKIE)
    if came_from is not None:
        wanted = own_path(unquote(came_from))
    if joined is not None:
        response = _let_in(request, joined, wanted)
    else:
        response = _page(request, next=wanted, error=_NOT_LOGGED_IN if came_from is not None else "")
    if came_from is not None:
        response.delete_cookie(_WANTED_COOKIE, path=JOIN_PATH)
    return response


async def _log_in(request: Request) -> Response:
    """Send somebody on to the service, and remember where they wanted to go."""
    if not (settings.classroom() and logs_in()):
        return _no_class()
    wanted = own_path(request.query_params.get("next"))
    if await _person(request) is not None:
        return RedirectResponse(JOIN_PATH, 303, headers={"Cache-Control": "no-store"})
    try:
        there = accounts.login_address()
    except AquaDashError as error:
        return _page(request, status=500, error=str(error), next=wanted)
    response = RedirectResponse(there, 303, headers={"Cache-Control": "no-store"})
    kept = quote(wanted, safe="/")
    if len(kept) < 3000:  # A browser keeps 4096 bytes, name and flags among them.
        response.set_cookie(_WANTED_COOKIE, kept, max_age=900, path=JOIN_PATH, httponly=True, samesite="lax")
    return response


async def _join(request: Request) -> Response:
    if not settings.classroom() or logs_in():
        return _no_class()
    if not _same_origin(request):
        return _page(request, status=403, error="This form was sent from another site. Use the form below.")
    told = request.headers.get("content-length", "")
    if not (told.isascii() and told.isdecimal() and len(told) < 8 and int(told) <= _MOST_BYTES):
        return _page(request, status=413, error="The form is too long. Type a name of at most 40 characters.")
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in ("name", "code", "rejoin", "next")}
    address = request.client.host if request.client else ""
    wanted = own_path(typed["next"])
    earlier = request.cookies.get(COOKIE)
    try:
        if typed["rejoin"]:
            joined = await run_in_threadpool(open_sessions().rejoin, typed["rejoin"], earlier_token=earlier)
        else:
            joined = await run_in_threadpool(
                join, open_sessions(), _attempts, _new_names, name=typed["name"], code=typed["code"], address=address,
                earlier_token=earlier,
            )  # fmt: skip
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


def _let_in(request: Request, joined: Joined, wanted: str) -> Response:
    # The name may hold anything a person is called; where it leads is ours.
    response = RedirectResponse(quote(wanted, safe="/?&=%#:,;+-_.~!*'()@$"), 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE, joined.token, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


async def _leave(request: Request) -> Response:
    if not settings.classroom():
        return _no_class()
    if not _same_origin(request):
        return _page(request, status=403, error="This form was sent from another site. Use the form below.")
    await run_in_threadpool(open_sessions().leave, request.cookies.get(COOKIE))
    response: Response = RedirectResponse(JOIN_PATH, 303, headers={"Cache-Control": "no-store"})
    if logs_in():
        # A page instead of a redirection: that would lead to the service, where forms of ours may not lead.
        response = HTMLResponse(
            f'<!doctype html><html lang="en"><title>AquaDash</title><meta http-equiv="refresh" content="0;url='
            f'{accounts.LOGOUT_PATH}"><p><a href="{accounts.LOGOUT_PATH}">Log out of the account, too</a></p></html>',
            headers={"Cache-Control": "no-store"},
        )
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _no_class() -> Response:
    return HTMLResponse("<!doctype html><title>AquaDash</title><p>There is no class to join here.</p>", 404)


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
    log_in = ""
    if logs_in():
        # At the one address that the service leads back to, for that is where the cookies have to be.
        log_in = f"{accounts.origin() or ''}{LOGIN_PATH}?next={quote(shown['next'], safe='')}"
    text = _template().render(person=person, nonce=nonce, join=JOIN_PATH, leave=LEAVE_PATH, log_in=log_in, **shown)
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
