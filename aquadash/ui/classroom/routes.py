"""The pages and forms of joining and leaving, outside of Streamlit: only a response of the server can set a cookie that
scripts of a page cannot read."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from aquadash import settings
from aquadash.classroom.attempts import Attempts
from aquadash.classroom.codes import tidy
from aquadash.classroom.invitation import JOIN_PATH
from aquadash.classroom.joining import TooManyAttemptsError, WrongCodeError, join
from aquadash.classroom.member_types import NameTakenError
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError, ConfigError
from aquadash.people import Person
from aquadash.ui.classroom.visitors import COOKIE, logs_in

LEAVE_PATH = "/class/leave"
#: A browser keeps the cookie longer than the session lasts, to prove next week that the name is that person's.
COOKIE_SECONDS = 30 * 86400
#: More than a name, a code and an address need.
_MOST_BYTES = 10_000

_attempts = Attempts()


def routes() -> list[Route]:
    """The routes; none of them does anything where there is no class."""
    return [
        Route(JOIN_PATH, _join_page, methods=["GET"]),
        Route(JOIN_PATH, _join, methods=["POST"]),
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
    if not _has_class():
        return _no_class()
    person = await _person(request)
    wanted = request.query_params.get("next")
    if person is not None and wanted:
        return RedirectResponse(own_path(wanted), 303, headers={"Cache-Control": "no-store"})
    return _page(request, person=person, code=tidy(request.query_params.get("code", ""))[:20], next=own_path(wanted))


async def _join(request: Request) -> Response:
    if not _has_class():
        return _no_class()
    if not _same_origin(request):
        return _page(request, status=403, error="This form was sent from another site. Use the form below.")
    if not request.headers.get("content-length", "").isdigit() or int(request.headers["content-length"]) > _MOST_BYTES:
        return _page(request, status=413, error="The form is too long. Type a name of at most 40 characters.")
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in ("name", "code", "next")}
    address = request.client.host if request.client else ""
    wanted = own_path(typed["next"])
    try:
        joined = await run_in_threadpool(
            join, open_sessions(), _attempts, name=typed["name"], code=typed["code"], address=address,
            earlier_token=request.cookies.get(COOKIE),
        )  # fmt: skip
    except NameTakenError as error:
        return _page(
            request, status=409, error=str(error), wrong="name", name=error.suggestion, code=typed["code"], next=wanted
        )
    except TooManyAttemptsError as error:
        answer = _page(request, status=429, error=str(error), wrong="code", name=typed["name"], next=wanted)
        answer.headers["Retry-After"] = str(max(1, round(error.seconds)))
        return answer
    except WrongCodeError as error:
        return _page(request, status=403, error=str(error), wrong="code", name=typed["name"], next=wanted)
    except ConfigError as error:
        return _page(
            request, status=400, error=str(error), wrong="name", name=typed["name"], code=typed["code"], next=wanted
        )
    except AquaDashError as error:
        return _page(request, status=500, error=str(error), name=typed["name"], next=wanted)
    # The name may hold anything a person is called; where it leads is ours.
    response = RedirectResponse(quote(wanted, safe="/?&=%#:,;+-_.~!*'()@$"), 303, headers={"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE, joined.token, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


async def _leave(request: Request) -> Response:
    if not _has_class():
        return _no_class()
    if not _same_origin(request):
        return _page(request, status=403, error="This form was sent from another site. Use the form below.")
    await run_in_threadpool(open_sessions().leave, request.cookies.get(COOKIE))
    response = RedirectResponse(JOIN_PATH, 303, headers={"Cache-Control": "no-store"})
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def _has_class() -> bool:
    return settings.classroom() and not logs_in()


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
    shown = {"error": "", "wrong": "", "name": "", "code": "", "next": "/", **values}
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
