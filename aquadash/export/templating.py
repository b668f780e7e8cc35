"""The templates of the report and of the script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


@cache
def templates(*, autoescape: bool) -> jinja2.Environment:
    """Return the environment of the templates; ``autoescape`` is for HTML, where values are text of people."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("aquadash.export"),
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
