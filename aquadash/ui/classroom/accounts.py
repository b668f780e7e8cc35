"""Logging in with an account (OpenID Connect) in the place of a code.

Authlib speaks with the service that ``[auth]`` in ``.streamlit/secrets.toml`` names. Who has just logged in stands in a
signed cookie until the join page takes it up: from then on they have a session as after typing a code, which ends as
those do.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response

from aquadash import settings
from aquadash.classroom.names import MAX_LENGTH, clean_name, is_reserved
from aquadash.errors import AquaDashError, ConfigError
from aquadash.people import STRANGER, Person, Role

if TYPE_CHECKING:
    from authlib.integrations.starlette_client import StarletteOAuth2App

#: Where the service leads back to; ``redirect_uri`` ends in it.
CALLBACK_PATH = "/oauth2callback"
#: Seconds after logging in within which one joins. The browser is led on by itself; later cookies do not bring
#: anybody back whom the teacher has removed.
FRESH_SECONDS = 60
#: Seconds that somebody may take at the service.
_PATIENCE_SECONDS = 900
_REQUIRED = ("redirect_uri", "client_id", "client_secret", "server_metadata_url")
_ACCOUNT = "account"

_LOG = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def logs_in() -> bool:
    """Whether people log in at a service (``[auth]`` in ``.streamlit/secrets.toml``) instead of typing a code.

    Looked up once: it is asked for at every request and for every run that a page shows.
    """
    return bool(_auth())


def session() -> Middleware:
    """What keeps, in a signed cookie, the way through the service and who has come back from it."""
    return Middleware(
        SessionMiddleware,
        # Good for minutes, so that nothing is lost with the process.
        secret_key=secrets.token_hex(),
        session_cookie="aquadash_login",
        max_age=_PATIENCE_SECONDS,
        https_only=(origin() or "").startswith("https:"),
    )


def origin() -> str | None:
    """The one address of the app that the service leads back to, without a slash at the end."""
    parts = urlsplit(_redirect_uri())
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


async def log_in(request: Request) -> Response:
    """Send a browser to the service.

    Raises:
        ConfigError: The service is not set up, or does not answer as one.
    """
    service = _service()
    try:
        answer: Response = await service.authorize_redirect(request, _redirect_uri())
    except Exception as error:
        _LOG.exception("The service for logging in does not answer")
        raise ConfigError(
            f"The service for logging in does not answer as it should ({type(error).__name__}). Tell the teacher: the "
            "console that AquaDash was started from says why."
        ) from error
    return answer


async def come_back(request: Request) -> None:
    """Take up what the service says of somebody whom it leads back; nothing where they did not log in.

    Raises:
        ConfigError: The service is not set up.
    """
    from authlib.integrations.starlette_client import OAuthError

    service = _service()
    try:
        token = await service.authorize_access_token(request)
    except Exception as error:
        _LOG.warning("Somebody was not logged in: %s", error, exc_info=not isinstance(error, OAuthError))
        return
    person = described_by(token.get("userinfo") or {}, teachers=settings.teachers())
    if person is not STRANGER:
        request.session[_ACCOUNT] = [person.person_id, person.name, person.role.value, time.time()]


def arrived(request: Request) -> Person | None:
    """Who has logged in just now, once; None for everybody else."""
    person_id, name, role, when = request.session.pop(_ACCOUNT, None) or ("", "", Role.STRANGER, 0.0)
    return Person(person_id, name, Role(role)) if time.time() - when < FRESH_SECONDS else None


def described_by(claims: Mapping[str, object], *, teachers: frozenset[str]) -> Person:
    """Who has logged in at the service, with the name that it knows.

    The person's id is the SHA-256 of issuer and subject, the one pair that a service never gives to two people, cut to
    32 hexadecimal digits.

    Args:
        claims: Those of the ID token (OpenID Connect Core 1.0, section 5.1); empty for nobody.
        teachers: The e-mail addresses of teachers; one that the service calls unverified counts for nothing.

    Returns:
        :data:`STRANGER` for claims that name nobody.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and issuer and subject):
        return STRANGER
    digest = hashlib.sha256(f"{len(issuer)}:{issuer}{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    email = claims.get("email")
    # Some services send the claim as text.
    verified = str(claims.get("email_verified", True)).lower() == "true"
    leads = isinstance(email, str) and verified and email.strip().casefold() in teachers
    for said in (claims.get("name"), claims.get("preferred_username"), claims.get("given_name")):
        try:
            name = clean_name(_shown(said))
        except AquaDashError:
            continue
        if leads or not is_reserved(name):
            break
    else:
        name = f"Guest {digest[:4]}"
    return Person(digest, name, Role.TEACHER if leads else Role.STUDENT)


def _shown(said: object) -> str:
    """A name without what cannot be shown, and not too long: its owner is not asked to type it anew."""
    letters = unicodedata.normalize("NFKC", said) if isinstance(said, str) else ""
    return "".join(one for one in letters if one.isspace() or unicodedata.category(one)[0] != "C")[:MAX_LENGTH]


async def logout_address() -> str | None:
    """Where a browser logs out of the service; None if that has no page for it."""
    try:
        service = _service()
        there = await service.create_logout_url(post_logout_redirect_uri=_redirect_uri(), client_id=service.client_id)
    except Exception as error:
        _LOG.info("Nobody can be logged out at the service: %s", error)
        return None
    return str(there["url"])


@lru_cache(maxsize=1)
def _service() -> StarletteOAuth2App:
    try:
        from authlib.integrations.starlette_client import OAuth
    except ImportError as error:
        raise ConfigError(
            "Logging in needs Authlib and httpx2. On the computer that runs AquaDash: "
            ".venv/bin/pip install -r scripts/requirements-accounts.txt; then start it again."
        ) from error
    auth = _auth()
    if missing := [name for name in _REQUIRED if not auth.get(name)]:
        raise ConfigError(f"Logging in is not set up: [auth] in secrets.toml lacks {', '.join(missing)}.")
    return OAuth().register(
        "account",
        client_id=auth["client_id"],
        client_secret=auth["client_secret"],
        server_metadata_url=auth["server_metadata_url"],
        # The next at this computer is to be asked who they are.
        client_kwargs={
            "scope": "openid email profile", "prompt": "select_account", "code_challenge_method": "S256",
            **auth.get("client_kwargs", {}),
        },
    )  # fmt: skip


def _redirect_uri() -> str:
    return str(_auth().get("redirect_uri", "")).replace("{port}", str(st.get_option("server.port")))


def _auth() -> Mapping[str, Any]:
    try:
        return st.secrets.to_dict().get("auth") or {}
    except FileNotFoundError:
        return {}
