"""Conditions on runs that people type: ``val_accuracy > 0.6 and model.name == "notebook" and "flip" in tags``.

The text is read with Python's own parser and then checked node by node against a short list of what is understood;
nothing of it is ever executed. Each part knows its kind (number, text ...), so that a comparison which cannot mean
anything is an error with its place, instead of a condition that no run meets.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aquadash.runs.fields import Kind, RunField, run_fields
from aquadash.runs.query_reader import Getter, QueryError, Reader
from aquadash.runs.types import Run

LONGEST = 1000

#: For the help beside the box: an example and what it finds.
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("val_accuracy > 0.6", "more than 60 % of the validation images right"),
    ('model.name == "notebook" and seed in [1, 2, 3]', "one network, three seeds"),
    ('"flip" in tags or "poster" in note', "a tag, or a word in the note"),
    ("0.001 <= training.learning_rate < 0.01", "a range"),
    ("val_accuracy - test_accuracy > 0.05", "a difference of figures"),
    ('not archived and created >= "2026-11-01"', "since a day"),
    ("test_accuracy is None", "a figure that is not known yet"),
)


@dataclass(frozen=True)
class Query:
    """A condition that has been read.

    Attributes:
        text: As it was typed.
        names: The fields that it looks at.
    """

    text: str
    names: tuple[str, ...]
    _matches: Getter

    def matches(self, run: Run) -> bool:
        """Whether the run meets the condition.

        A comparison with a figure that is not known (yet) is never met; ``is None`` asks for that itself.
        """
        return bool(self._matches(run))


def parse(text: str, fields: Mapping[str, RunField] | None = None) -> Query:
    """Read a condition.

    Args:
        text: What was typed. Text is compared without regard to capital letters; ``in`` looks for a part of a text or
            for an item of a list.
        fields: The names that it may use; all that every run has by default.

    Raises:
        QueryError: It cannot be read, names something unknown, or compares what cannot be compared.
    """
    if len(text) > LONGEST:
        raise QueryError(f"The condition has {len(text):,} characters; at most {LONGEST:,} are read.", LONGEST)
    stripped = text.strip()
    if not stripped:
        raise QueryError('The condition is empty. Write one such as val_accuracy > 0.6 and "flip" in tags.', 0)
    if any("\ud800" <= sign <= "\udfff" for sign in stripped):
        raise QueryError("The condition holds signs that are no text.", 0)
    shift = len(text) - len(text.lstrip())
    reader = Reader(stripped, shift, run_fields() if fields is None else fields)
    part = reader.read(_tree(stripped, shift).body)
    if part.kind is not Kind.TRUTH:
        raise QueryError(
            f"This gives a {part.word}, but a condition must be true or false. Compare it with something, as in "
            "val_accuracy > 0.6.",
            shift,
        )
    return Query(text, tuple(sorted(reader.names)), part.get)


def select(runs: Iterable[Run], text: str) -> list[Run]:
    """The runs that meet a condition, in their order; all of them for an empty text.

    Raises:
        QueryError: The condition cannot be used.
    """
    found = list(runs)
    if not text.strip():
        return found
    query = parse(text, run_fields(found))
    return [run for run in found if query.matches(run)]


def pointer(text: str, position: int) -> str:
    """The text's line with a mark under the place, for people: two lines."""
    line_start = text.rfind("\n", 0, position) + 1
    line = text[line_start:].split("\n", 1)[0]
    begin = max(0, min(position - line_start, len(line)) - 50)
    return f"{line[begin : begin + 100]}\n{' ' * (position - line_start - begin)}^"


def _tree(text: str, shift: int) -> ast.Expression:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            # Line breaks within brackets are no end of the condition.
            return ast.parse(text.replace("\n", " ").replace("\r", " "), mode="eval")
    except SyntaxError as error:
        # At the end of the text the parser says 0.
        position = error.offset - 1 if error.offset else len(text)
        raise QueryError(f"This cannot be read. {_remedy(text, position)}", shift + min(position, len(text))) from None
    except (ValueError, MemoryError, RecursionError):
        raise QueryError(
            "This cannot be read: it holds signs that no condition has, or too many brackets.", shift
        ) from None


def _remedy(text: str, position: int) -> str:
    for sign, word in (("&&", "and"), ("||", "or")):
        if sign in text:
            return f"Write {word} instead of {sign}."
    near = text[max(position - 3, 0) : position + 4]
    if "=" in near and not any(sign in near for sign in ("==", "<=", ">=", "!=")):
        return "To compare, write == (two signs)."
    if text.count('"') % 2 or text.count("'") % 2:
        return "A quotation mark is missing."
    if text.count("(") != text.count(")") or text.count("[") != text.count("]"):
        return "A bracket is missing."
    return 'Write a condition such as val_accuracy > 0.6 and "flip" in tags.'
