"""People whom an OpenID Connect service vouches for, instead of a code."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping

from aquadash import settings
from aquadash.classroom.member_types import Joined
from aquadash.classroom.names import LONGEST, clean_name, is_reserved
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person, Role


def enter(claims: Mapping[str, object], *, earlier_token: str | None = None) -> Joined | None:
    """Let somebody in who has just logged in at the service: a session begins, the same as with a code.

    The person's id is the SHA-256 of issuer and subject, the one pair that a service never gives to two people, cut to
    32 hexadecimal digits. Teachers are those whose e-mail stands in ``AQUADASH_TEACHERS``; an e-mail that the service
    calls unverified counts for nothing.

    Args:
        claims: Those of the ID token (OpenID Connect Core 1.0, section 5.1); empty for nobody.
        earlier_token: What the browser has from before.

    Returns:
        The session, or None for claims that name nobody.

    Raises:
        AquaDashError: The class is full, or its file cannot be read.
    """
    person = described_by(claims, teachers=settings.teachers())
    return None if person is STRANGER else open_sessions().enter(person, earlier_token=earlier_token)


def described_by(claims: Mapping[str, object], *, teachers: frozenset[str]) -> Person:
    """The person of these claims, with the name that the service knows; see :func:`enter`."""
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
    return "".join(one for one in letters if one.isspace() or unicodedata.category(one)[0] != "C")[:LONGEST]
