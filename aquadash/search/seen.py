"""Whose a search is, and what of it somebody may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aquadash import people
from aquadash.classroom.rights import Action, require
from aquadash.people import OWNER, Person, Role
from aquadash.search.types import Search


def as_seen(search: Search) -> Search:
    """A search as whoever acts may see it: without the trials whose runs are hidden from them.

    Raises:
        NotAllowedError: All of it is.
    """
    require(Action.VIEW, search.thing)
    if people.current().leads or search.maker == people.current():
        return search
    from aquadash.runs import open_store
    from aquadash.runs.snapshot import snapshot_of

    with people.acting(people.OWNER):
        hidden = {run.run_id for run in snapshot_of(open_store()).runs() if run.hidden}
    return replace(search, trials=tuple(trial for trial in search.trials if trial.run_id not in hidden))


def maker_of(values: Any) -> Person:
    """Who asked for a search; the machine's owner where that was not kept."""
    try:
        person_id, name, role = values
        return Person(str(person_id), str(name), Role(role))
    except (TypeError, ValueError):
        return OWNER
