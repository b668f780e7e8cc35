"""The lab of whoever looks at the page."""

from __future__ import annotations

from aquadash import people
from aquadash.lab import Lab


def lab() -> Lab:
    """What the visitor can do."""
    return Lab(people.current())
