"""The visitor of the page, and their lab."""

from __future__ import annotations

from aquadash import settings
from aquadash.lab import Lab
from aquadash.people import OWNER, Person


def lab() -> Lab:
    """The visitor's lab.

    Its parts raise :class:`~aquadash.errors.AquaDashError` where the run store could not be opened.
    """
    return Lab(visitor())


def visitor() -> Person:
    """Who looks at the page that this thread draws: without a class the owner of the machine, in a class whoever has
    joined it, or a stranger."""
    if not settings.classroom():
        return OWNER
    from aquadash.ui.kit import admission

    return admission.visitor()
