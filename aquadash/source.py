"""Extracts definitions from AquaDash's own source, with all that they use, for scripts that run without AquaDash."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aquadash.errors import AquaDashError, RunError

#: A script holds configs and epochs as plain values, so it needs the definitions of these packages as types alone.
_PLAIN = ("aquadash.config", "aquadash.store")


class CarriedSource:
    """Source of definitions, each once, that need nothing else of AquaDash.

    Attributes:
        imports: The import statements of other packages that they need.
        plain_types: The names of AquaDash's types in them that a script replaces by a plain namespace.
    """

    def __init__(self, *, defined_names: Set[str] = frozenset()) -> None:
        """Start with nothing taken; the script defines the names in ``defined_names`` already."""
        self._defined_names = defined_names
        self.imports: set[str] = set()
        self.plain_types: set[str] = set()
        self._taken: dict[str, _Definition] = {}

    def take(self, *names: str) -> str:
        """Return the source of names and of all that they use, without earlier taken definitions; import no module.

        Args:
            names: Each as ``module:name``.

        Returns:
            The modules that others need come first; within a module, definitions keep their order.

        Raises:
            AquaDashError: Source is missing from this installation.
            RunError: Two definitions have one name.
        """
        needed: list[_Definition] = []
        for each in names:
            module, _, name = each.partition(":")
            self._take(module, name, needed)
        modules = list(dict.fromkeys(definition.module for definition in needed))
        needed.sort(key=lambda definition: (modules.index(definition.module), definition.lines.start))
        text = ""
        for before, definition in zip([None, *needed], needed, strict=False):
            follows = before and before.module == definition.module and before.lines.stop == definition.lines.start
            text += ("\n" if follows else "\n\n\n") + _text(definition)
        return text.strip("\n")

    def _take(self, module: str, name: str, needed: list[_Definition]) -> None:
        """Add the definition of a module's name to ``needed``, after the definitions that it uses."""
        if name in self._defined_names:
            return
        if module.startswith(_PLAIN):
            self.plain_types.add(name)
            return
        parsed = _parsed(module)
        if name in parsed.imports:
            origin, original = parsed.imports[name]
            if origin.startswith("aquadash"):
                self._take(origin, original, needed)
            else:
                self.imports.add(_import_statement(origin, original, name))
        if name not in parsed.definitions:
            return
        definition = parsed.definitions[name]
        is_taken = definition in self._taken.values()
        if self._taken.setdefault(name, definition) is not definition:
            raise RunError(f"Two definitions called {name} cannot stand in one script.")
        if is_taken:
            return
        for node in ast.walk(definition.node):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if other := _module_called(node.value.id, parsed):
                    self._take(other, node.attr, needed)
            elif isinstance(node, ast.Name):
                self._take(module, node.id, needed)
        needed.append(definition)


@dataclass(frozen=True, eq=False)
class _Definition:
    """A function, class or assignment at the top of a module, with the comment above it."""

    module: str
    node: ast.stmt
    lines: range


@dataclass(frozen=True, eq=False)
class _Module:
    """A module's lines, its definitions by name, and the package and name (or "") of each import."""

    lines: list[str]
    definitions: dict[str, _Definition]
    imports: dict[str, tuple[str, str]]


@cache
def _parsed(module: str) -> _Module:
    # find_spec imports the packages above the module, but not the module itself.
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise AquaDashError(f"The source of {module} is missing from this installation. Install AquaDash again.")
    text = Path(spec.origin).read_text(encoding="utf-8")
    tree, lines = ast.parse(text), text.splitlines()
    definitions: dict[str, _Definition] = {}
    for node in tree.body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]) - 1
        while first and lines[first - 1].startswith("#"):
            first -= 1
        definition = _Definition(module, node, range(first, node.end_lineno or node.lineno))
        definitions |= dict.fromkeys(_defined_by(node), definition)
    # Imports inside functions count like those at the top.
    imports: dict[str, tuple[str, str]] = {}
    for part in ast.walk(tree):
        if isinstance(part, ast.Import):
            imports |= {each.asname or each.name: (each.name, "") for each in part.names}
        elif isinstance(part, ast.ImportFrom):
            imports |= {each.asname or each.name: (part.module or "", each.name) for each in part.names}
    return _Module(lines, definitions, imports)


def sorted_imports(statements: Set[str]) -> str:
    """Return import statements, one for each module, those of Python's standard library first."""
    plain = {line for line in statements if line.startswith("import ")}
    taken: defaultdict[str, set[str]] = defaultdict(set)
    for line in statements - plain:
        module, _, names = line.removeprefix("from ").partition(" import ")
        taken[module] |= set(names.split(", "))
    every = sorted(plain) + [f"from {module} import {', '.join(sorted(taken[module]))}" for module in sorted(taken)]
    own = [line for line in every if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    return "\n".join([*own, "", *(line for line in every if line not in own)])


def _defined_by(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return set()


def _module_called(name: str, module: _Module) -> str:
    """Return the module of AquaDash that an import binds to a name; empty for anything else."""
    origin, original = module.imports.get(name, ("", ""))
    if not origin.startswith("aquadash") or origin.startswith(_PLAIN):
        return ""
    full, parsed = f"{origin}.{original}", _parsed(origin)
    is_name = original in parsed.definitions or original in parsed.imports
    return full if not is_name and importlib.util.find_spec(full) else ""


def _import_statement(origin: str, original: str, name: str) -> str:
    source = original or origin
    renamed = source if source == name else f"{source} as {name}"
    return f"from {origin} import {renamed}" if original else f"import {renamed}"


def _text(definition: _Definition) -> str:
    """Return a definition's source without its imports; ``module.name`` of AquaDash's modules becomes ``name``."""
    parsed = _parsed(definition.module)
    lines = {number: parsed.lines[number] for number in definition.lines}
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Import | ast.ImportFrom):
            end = node.end_lineno or node.lineno
            for number in range(node.lineno - 1, end if lines.get(end) else end + 1):
                lines.pop(number, None)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if _module_called(node.value.id, parsed):
                number = node.lineno - 1
                lines[number] = re.sub(rf"\b{node.value.id}\.{node.attr}\b", node.attr, lines[number])
    return "\n".join(lines.values())
