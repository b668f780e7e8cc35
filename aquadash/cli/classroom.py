"""``classroom``: the commands of a class that shares one AquaDash. Their files add themselves to this group."""

from __future__ import annotations

import click


@click.group()
def classroom() -> None:
    """A class: what each may do, its limits, its queue."""
