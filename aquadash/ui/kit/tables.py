"""Tables of columns, each with its title, values and format."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import streamlit as st


class Column(NamedTuple):
    """A column: its title, a value a row, and its ``st.column_config``, if it needs one."""

    title: str
    values: Iterable[object]
    config: Any = None


def number_column(
    title: str, values: Iterable[object], format: str | None = None, *, help: str | None = None, **options: Any
) -> Column:
    """Return a column of numbers in a format of ``st.column_config.NumberColumn`` such as ``"%.1f"``."""
    return Column(title, values, st.column_config.NumberColumn(format=format, help=help, **options))


def text_column(title: str, values: Iterable[object], *, help: str | None = None, **options: Any) -> Column:
    """Return a column of text with a help or options such as ``width``."""
    return Column(title, values, st.column_config.TextColumn(help=help, **options))


def bar_column(title: str, fractions: Iterable[float], format: str = "%.0f %%", *, help: str | None = None) -> Column:
    """Return a column of fractions, 0 to 1, as bars with their per cent."""
    values = [100 * fraction for fraction in fractions]
    return Column(title, values, st.column_config.ProgressColumn(format=format, min_value=0, max_value=100, help=help))


def render_columns(*columns: Column, alt: str, **options: Any) -> None:
    """Draw a table of columns with different titles; ``alt`` is its text alternative."""
    st.dataframe(
        {column.title: list(column.values) for column in columns},
        # A config of None would hide the column.
        column_config={column.title: column.config for column in columns if column.config is not None},
        hide_index=True,
        alt=alt,
        **options,
    )
