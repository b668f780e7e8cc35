"""A class for tests of pages: people in it, and their runs."""

from typing import Any

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import app_test

from aquadash.classroom.sessions import open_sessions
from aquadash.lab import memory
from aquadash.people import Person, Role
from aquadash.store import Run, RunStore
from aquadash.ui.kit import admission


class _AsServed(PagesManager):
    """Runs ``app.py`` around each page as the server does, and as ``AppTest`` beside a folder ``pages`` does not."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*arguments, **options)


def open_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn the classroom on; no page is open yet."""
    monkeypatch.setenv("AQUADASH_CLASSROOM", "1")
    monkeypatch.setattr(app_test, "PagesManager", _AsServed)
    look_as(monkeypatch, None)


def join(name: str, role: Role = Role.STUDENT) -> tuple[Person, str]:
    """Somebody joins; returns who and their token."""
    joined = open_sessions().join(name, role)
    return joined.person, joined.token


def look_as(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    """Pages are looked at from the browser that holds this token."""
    monkeypatch.setattr(admission, "token", lambda: token)


def give(store: RunStore, run: Run, person: Person) -> Run:
    """Give a stored run an owner."""
    store.update(run.run_id, owner=person.person_id, owner_name=person.name, shared=person.leads)
    memory.refresh()
    return store.get(run.run_id)
