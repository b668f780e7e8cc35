"""The visitor of the page, and their lab."""

from aquadash import settings
from aquadash.lab import Lab
from aquadash.people import OWNER, Person
from aquadash.ui.kit import admission


def lab() -> Lab:
    """Return the visitor's lab; its parts raise an error where the run store cannot be opened."""
    return Lab(visitor())


def visitor() -> Person:
    """Return the visitor of the page that this thread draws: in a class a member or a stranger, else the owner."""
    return admission.visitor() if settings.classroom() else OWNER
