"""Conditions on runs that people type: ``val_accuracy > 0.6 and model.name == "notebook" and "flip" in tags``.

Nothing of the text is ever executed.
"""

from __future__ import annotations

import ast
import difflib
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aquadash.errors import AquaDashError
from aquadash.runs.fields import Kind, RunField, run_fields
from aquadash.runs.types import Run

MAX_LENGTH = 1000

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


_DEEPEST = 40

Getter = Callable[[Run], Any]


class QueryError(AquaDashError):
    """A condition that cannot be used.

    Attributes:
        position: Where in the text, in characters from 0.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"Character {position + 1}: {message}")
        self.position = position


@dataclass(frozen=True)
class Query:
    """A condition that has been read."""

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
    if len(text) > MAX_LENGTH:
        raise QueryError(f"The condition has {len(text):,} characters; at most {MAX_LENGTH:,} are read.", MAX_LENGTH)
    stripped = text.strip()
    if not stripped:
        raise QueryError('The condition is empty. Write one such as val_accuracy > 0.6 and "flip" in tags.', 0)
    if any("\ud800" <= sign <= "\udfff" for sign in stripped):
        raise QueryError("The condition holds signs that are no text.", 0)
    shift = len(text) - len(text.lstrip())
    part = Reader(stripped, shift, run_fields() if fields is None else fields).read(_tree(stripped, shift).body)
    if part.kind is not Kind.TRUTH:
        raise QueryError(
            f"This gives a {part.word}, but a condition must be true or false. Compare it with something, as in "
            "val_accuracy > 0.6.",
            shift,
        )
    return Query(part.get)


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


@dataclass(frozen=True)
class Expression:
    """A piece of a condition.

    Attributes:
        kind: Of its value; None for ``None``.
        get: Its value of a run.
        constant: The value itself where it is written in the text, else None.
    """

    kind: Kind | None
    get: Getter
    constant: Any = None

    @property
    def word(self) -> str:
        """What it is, for people."""
        return str(self.kind) if self.kind else "None"


_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUAL: dict[type[ast.cmpop], bool] = {ast.Eq: True, ast.NotEq: False, ast.Is: True, ast.IsNot: False}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Reader:
    """Reads the parsed text of a condition."""

    def __init__(self, text: str, shift: int, fields: Mapping[str, RunField]) -> None:
        """Takes the text without its margin.

        Args:
            text: What was parsed.
            shift: How many characters of margin stood before it.
            fields: The names that it may use.
        """
        # The parser counts bytes, people characters.
        self._bytes = text.encode("utf-8")
        self._shift = shift
        self._fields = fields

    def read(self, node: ast.expr, depth: int = 0) -> Expression:
        """The value that a piece stands for.

        Raises:
            QueryError: It is none of what is understood, names something unknown, or compares what cannot be compared.
        """
        if depth > _DEEPEST:
            raise self._error("This is nested too deeply. Use fewer brackets and signs.", node)
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = [self._truth(value, depth) for value in values]
                combine = all if isinstance(op, ast.And) else any
                return Expression(Kind.TRUTH, lambda run: combine(part.get(run) for part in parts))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                part = self._truth(operand, depth)
                return Expression(Kind.TRUTH, lambda run: not part.get(run))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
                part = self._number(operand, depth)
                sign = -1 if isinstance(op, ast.USub) else 1
                return _computed(lambda value: sign * value, part)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _computed(_ARITHMETIC[type(op)], self._number(left, depth), self._number(right, depth))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._comparison([left, *others], ops, depth)
            case ast.Name() | ast.Attribute():
                return self._field(node)
            case ast.Constant(value=value):
                return self._constant(value, node)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return self._list(items, node, depth)
        raise self._error(
            "This is not understood here. A condition has names, numbers, text in quotes, comparisons, + - * /, and, "
            "or, not, in and brackets.",
            node,
        )

    def _comparison(self, nodes: list[ast.expr], ops: list[ast.cmpop], depth: int) -> Expression:
        parts = [self.read(node, depth + 1) for node in nodes]
        tests = [
            self._test(left, op, right, nodes[position + 1])
            for position, (left, op, right) in enumerate(zip(parts, ops, parts[1:], strict=False))
        ]
        return Expression(Kind.TRUTH, lambda run: all(test(run) for test in tests))

    def _test(self, left: Expression, op: ast.cmpop, right: Expression, node: ast.expr) -> Getter:
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(left, right, node, wanted=isinstance(op, ast.In))
        if left.kind is None or right.kind is None:
            if type(op) not in _EQUAL:
                raise self._error("None can only be asked for with is None or is not None.", node)
            wanted = _EQUAL[type(op)]
            return lambda run: ((_folded(left.get(run)) is None) == (_folded(right.get(run)) is None)) is wanted
        if isinstance(op, ast.Is | ast.IsNot):
            raise self._error("The words is and is not go with None only. To compare, write == or !=.", node)
        left, right = self._same_kind(left, right, node)
        if type(op) in _ORDER:
            if left.kind not in (Kind.NUMBER, Kind.TIME, Kind.TEXT):
                raise self._error(f"A {left.word} has no order. Compare it with == or !=.", node)
            compare = _ORDER[type(op)]
        else:
            compare = operator.eq if _EQUAL[type(op)] else operator.ne

        def test(run: Run) -> bool:
            one, other = _folded(left.get(run)), _folded(right.get(run))
            return one is not None and other is not None and bool(compare(one, other))

        return test

    def _membership(self, left: Expression, right: Expression, node: ast.expr, *, wanted: bool) -> Getter:
        item = {Kind.TEXTS: Kind.TEXT, Kind.TEXT: Kind.TEXT, Kind.NUMBERS: Kind.NUMBER}.get(right.kind or Kind.TRUTH)
        if item is None:
            raise self._error(
                f'After in comes a text or a list, as in "flip" in tags or seed in [1, 2]; this is a {right.word}.',
                node,
            )
        if left.kind is not item and right.constant != ():
            kind = "text" if item is Kind.TEXT else "number"
            raise self._error(f"Only a {kind} can be in this; what stands before in is a {left.word}.", node)

        def test(run: Run) -> bool:
            one, other = _folded(left.get(run)), _folded(right.get(run))
            return one is not None and other is not None and (one in other) is wanted

        return test

    def _same_kind(self, left: Expression, right: Expression, node: ast.expr) -> tuple[Expression, Expression]:
        if left.kind is Kind.TIME and right.kind is Kind.TEXT and right.constant is not None:
            return left, self._moment(right, node)
        if right.kind is Kind.TIME and left.kind is Kind.TEXT and left.constant is not None:
            return self._moment(left, node), right
        if left.kind is not right.kind:
            hint = " Put text into quotes." if Kind.TEXT in (left.kind, right.kind) else ""
            raise self._error(f"A {left.word} cannot be compared with a {right.word}.{hint}", node)
        return left, right

    def _moment(self, part: Expression, node: ast.expr) -> Expression:
        try:
            seconds = datetime.fromisoformat(part.constant.strip()).timestamp()
        except (ValueError, OverflowError, OSError):
            raise self._error(
                f"{part.constant[:40]!r} is no time. Write a day as '2026-11-25', or '2026-11-25 14:30'.", node
            ) from None
        return Expression(Kind.TIME, lambda run: seconds, seconds)

    def _truth(self, node: ast.expr, depth: int) -> Expression:
        part = self.read(node, depth + 1)
        if part.kind is not Kind.TRUTH:
            raise self._error(f"This is a {part.word}; and, or and not go between conditions, as in seed > 1.", node)
        return part

    def _number(self, node: ast.expr, depth: int) -> Expression:
        part = self.read(node, depth + 1)
        if part.kind is not Kind.NUMBER:
            raise self._error(f"This is a {part.word}; + - * / go between numbers.", node)
        return part

    def _constant(self, value: Any, node: ast.expr) -> Expression:
        if value is None:
            return Expression(None, lambda run: None)
        kind = {bool: Kind.TRUTH, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT}.get(type(value))
        if kind is None:
            raise self._error("Only numbers, text in quotes, True, False and None are understood here.", node)
        if type(value) is int and value.bit_length() > 1000:
            raise self._error("This number is too large.", node)
        return Expression(kind, lambda run: value, value)

    def _list(self, items: list[ast.expr], node: ast.expr, depth: int) -> Expression:
        parts = [self.read(item, depth + 1) for item in items]
        kinds = {part.kind for part in parts}
        # -1 is written, too, although it is a sign and a number.
        values = tuple(part.constant for part in parts)
        if not kinds <= {Kind.NUMBER} and not kinds <= {Kind.TEXT}:
            raise self._error("A list holds numbers, or texts in quotes, and not both.", node)
        if any(value is None for value in values):
            raise self._error("A list holds written numbers or texts, no names.", node)
        return Expression(Kind.TEXTS if kinds == {Kind.TEXT} else Kind.NUMBERS, lambda run: values, values)

    def _field(self, node: ast.expr) -> Expression:
        parts: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            raise self._error("A dot goes between the parts of a name only, as in model.name.", node)
        name = ".".join([inner.id, *reversed(parts)])
        field = self._fields.get(name)
        if field is None:
            raise self._error(_unknown(name, self._fields), node)
        return Expression(field.kind, field.get)

    def _error(self, message: str, node: ast.expr) -> QueryError:
        characters = len(self._bytes[: node.col_offset].decode("utf-8", errors="ignore"))
        return QueryError(message, self._shift + characters)


def _computed(compute: Callable[..., Any], *parts: Expression) -> Expression:
    """A number made of numbers; unknown where one of them is, or the result is no number."""
    if all(part.constant is not None for part in parts):
        value = _safely(compute, *(part.constant for part in parts))
        return Expression(Kind.NUMBER, lambda run: value, value)
    return Expression(Kind.NUMBER, lambda run: _safely(compute, *(part.get(run) for part in parts)))


def _safely(compute: Callable[..., Any], *values: Any) -> Any:
    if any(value is None for value in values):
        return None
    try:
        return compute(*values)
    except (ArithmeticError, ValueError):
        return None


def _folded(value: Any) -> Any:
    """For comparisons: text without capital letters."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, tuple):
        return tuple(map(_folded, value))
    return value


def _unknown(name: str, fields: Mapping[str, RunField]) -> str:
    last_parts: dict[str, str] = {}
    for known in fields:
        last_parts.setdefault(known.rpartition(".")[2], known)
    candidates = [*fields, *last_parts]
    near = difflib.get_close_matches(name, candidates, n=3, cutoff=0.6) or [
        known for known in fields if name.casefold() in known
    ]
    found = list(dict.fromkeys(last_parts.get(each, each) if each not in fields else each for each in near))[:3]
    hint = f" Did you mean {' or '.join(found)}?" if found else ""
    return f"There is no {name[:60]!r} of a run.{hint} If it is meant as text, put it into quotes."
