"""People whom another service vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aquadash.classroom.sessions import open_sessions
from aquadash.people import STRANGER, Role
from aquadash.ui.classroom.accounts import described_by

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
    ],
)
def test_of_a_name_what_can_be_shown_is_kept(said: dict[str, object], name: str | None) -> None:
    found = described_by(claims(**said), teachers=TEACHERS).name
    assert len(found) <= 40 and (found == name or (name is None and found))


def test_who_has_no_name_that_can_be_shown_is_a_guest() -> None:
    assert described_by(claims(name=None), teachers=TEACHERS).name.startswith("Guest ")


def test_who_logs_in_is_entered_into_the_class_once(home: Path) -> None:
    sessions = open_sessions()
    sessions.join("Anna", Role.STUDENT)
    anna, again = (sessions.enter(described_by(claims(), teachers=TEACHERS)) for _ in range(2))
    assert anna.person == again.person and anna.person.name == "Anna 2"
    assert sessions.person_of(anna.token) == anna.person, "at another computer one may be, too"
    hill = sessions.enter(described_by(claims(sub="9", name="Hill", email="hill@school.example"), teachers=TEACHERS))
    assert hill.person.role is Role.TEACHER
    assert [member.person.name for member in sessions.people()] == ["Hill", "Anna", "Anna 2"]
