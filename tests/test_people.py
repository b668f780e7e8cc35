"""Who acts: the owner by default, the visitor of a page, and whoever work in a thread is done for."""

from __future__ import annotations

import pytest

from aquadash import people
from aquadash.people import OWNER, STRANGER, Person, Role

ANNA = Person("a" * 32, "Anna", Role.STUDENT)


def test_nobody_behind_it_means_the_owner() -> None:
    assert people.current() is OWNER and OWNER.leads
    assert not STRANGER.leads and not ANNA.leads


def test_the_pages_say_who_their_visitor_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_look_up", lambda: None)
    people.look_up_by(lambda: STRANGER)
    assert people.current() is STRANGER
    with people.acting(ANNA):
        assert people.current() is ANNA
    assert people.current() is STRANGER
