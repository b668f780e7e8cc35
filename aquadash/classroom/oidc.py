"""People whom an OpenID Connect service vouches for, instead of a code."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping

from aquadash import settings
from aquadash.classroom.names import LONGEST, clean_name
from aquadash.classroom.sessions import open_sessions
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person, Role

#: For so many seconds somebody's entry in the class is not looked up again.
_FRESH_SECONDS = 30.0
_known: dict[tuple[str, str, Role], tuple[float, Person]] = {}


def person_of(claims: Mapping[str, object]) -> Person:
    """Who has logged in, entered into the class.

    The person's id is the SHA-256 of issuer and subject, the one pair that a service never gives to two people, cut to
    32 hexadecimal digits. Teachers are those whose e-mail stands in ``AQUADASH_TEACHERS``; an e-mail that the service
    calls unverified counts for nothing.

    Args:
        claims: Those of the ID token (OpenID Connect Core 1.0, section 5.1); empty for nobody.

    Returns:
        The person, or :data:`STRANGER` for claims that name nobody.

    Raises:
        AquaDashError: The class is full, or its file cannot be read.
    """
    described = described_by(claims, teachers=settings.teachers())
    if described is STRANGER:
        return STRANGER
    key = (str(settings.classroom_folder()), described.person_id, described.role)
    now = time.monotonic()
    known = _known.get(key)
    if known is None or now - known[0] >= _FRESH_SECONDS:
        if len(_known) >= 4096:
            _known.clear()
        known = _known[key] = (now, open_sessions().remember(described))
    return known[1]


def described_by(claims: Mapping[str, object], *, teachers: frozenset[str]) -> Person:
    """The person of these claims, with the name that the service knows; see :func:`person_of`."""
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and isinstance(subject, str) and issuer and subject):
        return STRANGER
    digest = hashlib.sha256(f"{len(issuer)}:{issuer}{subject}".encode()).hexdigest()[:32]
    email = claims.get("email")
    # Some services send the claim as text.
    verified = str(claims.get("email_verified", True)).lower() == "true"
    leads = isinstance(email, str) and verified and email.strip().casefold() in teachers
    for said in (claims.get("name"), claims.get("preferred_username"), claims.get("given_name")):
        try:
            name = clean_name(str(said or "")[:LONGEST])
            break
        except AquaDashError:
            continue
    else:
        name = f"Guest {digest[:4]}"
    return Person(digest, name, Role.TEACHER if leads else Role.STUDENT)
