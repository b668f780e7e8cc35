"""Conditions on runs that people type, in SQL: ``accuracy > 0.7 and name like '%cnn%'``.

SQLite evaluates a condition over a table in memory, which holds the runs that the person may see and only the columns
that the condition names. ``docs/decisions.md`` says why this is safe.
"""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from aquadash.config import SETTINGS
from aquadash.errors import AquaDashError, UnknownNameError
from aquadash.store.fields import Kind, RunField, known_fields, run_fields
from aquadash.store.types import Run

MAX_LENGTH = 1000

#: Examples for the help beside the box, each with its meaning.
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("accuracy > 0.7 and name like '%cnn%'", "more than 70 % of the validation images right, and cnn in the name"),
    ("network = 'notebook' and seed in (1, 2, 3)", "one network, three seeds"),
    ("tags like '%flip%' or note like '%poster%'", "a word in the tags or in the note"),
    ("learning_rate between 0.001 and 0.01", "a range"),
    ("val_accuracy - test_accuracy > 0.05", "a difference of figures"),
    ("not archived and created >= '2026-11-01'", "since a day"),
    ("test_accuracy is null", "a figure that is not known yet"),
)

#: More names for fields.
_ALIASES = {"accuracy": "val_accuracy", "network": "model.name"}
#: Words of SQL; they are not replaced by a field, even if a run has a figure of that name.
_KEYWORDS = frozenset("and or not like glob in is null between escape case when then else end true false".split())
#: A text in quotes, or a name such as ``training.epochs``.
_WORD = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|(?<![\w.])[A-Za-z_][\w.]*""")
_FUNCTIONS = frozenset(("like", "glob", "abs", "round", "lower", "upper", "length", "coalesce"))
#: Steps of SQLite's virtual machine: more than the longest condition takes for 10,000 runs.
MAX_STEPS = 5_000_000
#: Characters of a text in the table, such as a note.
_MAX_TEXT = 5000
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 4 * _MAX_TEXT,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 50,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
}


class QueryError(AquaDashError):
    """A condition that cannot be used."""


def select(runs: Iterable[Run], condition: str) -> list[Run]:
    """Return the runs that meet a condition, in their order; all of them for an empty condition.

    Args:
        runs: The runs that the person may see.
        condition: An expression of SQLite over :func:`names`; comparisons of text ignore case.

    Raises:
        QueryError: The condition cannot be read, has an unknown name, or takes too long.
    """
    all_runs = list(runs)
    if not condition.strip():
        return all_runs
    if len(condition) > MAX_LENGTH:
        raise QueryError(f"The condition has {len(condition):,} characters; at most {MAX_LENGTH:,} are read.")
    fields_by_name = names(run_fields(all_runs))
    used: dict[str, RunField] = {}

    def to_sql(match: re.Match[str]) -> str:
        word = match[0]
        if word.startswith("'") or word.casefold() in _KEYWORDS:
            return word
        if (field := fields_by_name.get(word.strip('"').casefold())) is not None:
            used[field.name] = field
            return _column(field.name)
        # Some builds of SQLite read a text in double quotes as the name of a column.
        return "'" + word[1:-1].replace("'", "''") + "'" if word.startswith('"') else word

    where = _WORD.sub(to_sql, condition)
    types = {Kind.NUMBER: "NUMERIC", Kind.TRUTH: "NUMERIC"}
    columns = "".join(
        f", {_column(name)} {types.get(field.kind, 'TEXT')} COLLATE NOCASE" for name, field in used.items()
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(f"CREATE TABLE runs (position INTEGER PRIMARY KEY{columns})")
            rows = (
                (position, *(_stored(run, field) for field in used.values())) for position, run in enumerate(all_runs)
            )
            connection.executemany(f"INSERT INTO runs VALUES (?{', ?' * len(used)})", rows)
            _restrict(connection)
            # The line break ends a comment in the condition, so that it cannot hide the bracket.
            positions = {
                position for (position,) in connection.execute(f"SELECT position FROM runs WHERE (\n{where}\n)")
            }
        except UnicodeEncodeError:
            raise QueryError("The condition holds characters that are no text.") from None
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise QueryError(_explained(str(error), fields_by_name)) from None
    return [run for position, run in enumerate(all_runs) if position in positions]


def names(fields: Mapping[str, RunField]) -> dict[str, RunField]:
    """Return the fields by the names in a condition, in small letters; a setting also has the last part of its name."""
    of_some_runs = {name.casefold(): field for name, field in fields.items()}
    last_parts = {name.rpartition(".")[2]: fields[name] for name in SETTINGS if name in fields}
    aliases = {alias: fields[name] for alias, name in _ALIASES.items()}
    return of_some_runs | last_parts | aliases | known_fields()


def _restrict(connection: sqlite3.Connection) -> None:
    """Let the next statement read the table of runs and do nothing else, within limits."""
    our_select = iter((sqlite3.SQLITE_OK,))

    def authorize(action: int, first: str | None, second: str | None, *where: str | None) -> int:
        if action == sqlite3.SQLITE_SELECT:
            # A condition has no SELECT of its own.
            return next(our_select, sqlite3.SQLITE_DENY)
        reads = action == sqlite3.SQLITE_READ and first == "runs"
        calls = action == sqlite3.SQLITE_FUNCTION and second in _FUNCTIONS
        return sqlite3.SQLITE_OK if reads or calls else sqlite3.SQLITE_DENY

    for limit, most in _LIMITS.items():
        connection.setlimit(limit, most)
    connection.set_progress_handler(lambda: 1, MAX_STEPS)
    connection.set_authorizer(authorize)


def _stored(run: Run, field: RunField) -> Any:
    """Return a field's value for the table: a number, a text or None."""
    value = field.get(run)
    if value is None or field.kind in (Kind.NUMBER, Kind.TRUTH):
        return value
    if field.kind is Kind.TIME:
        return datetime.fromtimestamp(value).isoformat(" ", "seconds")
    return (", ".join(map(str, value)) if isinstance(value, tuple) else str(value))[:_MAX_TEXT]


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _explained(reason: str, fields_by_name: Mapping[str, RunField]) -> str:
    """Return SQLite's reason in words for people."""
    example = f"Write one such as {EXAMPLES[0][0]}"
    if unknown := re.fullmatch(r"no such column: (.+)", reason):
        return f"{UnknownNameError.of('column', unknown[1], fields_by_name)} Text stands in quotes."
    if "not authorized" in reason or "prohibited" in reason or "no such function" in reason:
        return f"A condition compares the names, numbers and texts of runs, and can do nothing else. {example}"
    if reason == "interrupted":
        return "The condition takes too long. Make it shorter."
    return f"The condition cannot be read ({reason}). {example}"
