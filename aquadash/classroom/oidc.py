"""People whom an OpenID Connect service vouches for, instead of a code."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping

from aquadash.classroom.names import LONGEST, clean_name, is_reserved
from aquadash.errors import AquaDashError
from aquadash.people import STRANGER, Person, Role


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
    return "".join(one for one in letters if one.isspace() or unicodedata.category(one)[0] != "C")[:LONGEST]
