"""Measures how the package is cut: files and lines by room, modules with one importer, helpers used once, names in use.

python scripts/house.py [FOLDER]    FOLDER holds ``aquadash/``; this checkout by default
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path


def modules(root: Path) -> dict[str, str]:
    """The source of every module of the package and of what uses it (pages, app, scripts), by its dotted name."""
    files = [path for folder in ("aquadash", "pages", "scripts") for path in sorted((root / folder).rglob("*.py"))]
    found = {}
    for path in [*files, root / "app.py"]:
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return found


def imports(tree: ast.Module) -> set[tuple[str, str]]:
    """What a module imports, inside functions too: module and name; ``"module:function"`` in a text counts as well."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"aquadash[\w.]*:\w+", str(node.value)):
            found.add((str(node.value).partition(":")[0], ""))
    return found


def importers(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Who imports each module. A name that a package passes on is its module's, and passing on is no use of it."""
    imported = {name: imports(tree) for name, tree in trees.items()}
    packages = {name.rpartition(".")[0] for name in trees}
    passed_on = {(package, name): origin for package in packages for origin, name in imported.get(package, ())}
    found: dict[str, set[str]] = defaultdict(set)
    for user, pairs in imported.items():
        for origin, name in pairs:
            target = f"{origin}.{name}" if f"{origin}.{name}" in trees else passed_on.get((origin, name), origin)
            if target != user and not (user in packages and target.startswith(f"{user}.")):
                found[target].add(user)
    return found


def uses_of_private_functions(tree: ast.Module) -> list[int]:
    """How often a module names each of its private functions and methods."""
    named = [node.id if isinstance(node, ast.Name) else node.attr
             for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)]  # fmt: skip
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [named.count(name) for name in functions if re.match(r"_(?!_)", name)]


def main() -> None:
    texts = modules(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    own = [name for name in texts if name.split(".")[0] == "aquadash"]
    trees, lines = {name: ast.parse(text) for name, text in texts.items()}, Counter[str]()
    rooms = defaultdict(list)
    for name, text in texts.items():
        lines[name] = text.count("\n")
        rooms[name.split(".")[1] if name in own and "." in name else f"({name.split('.')[0]})"].append(name)
    for room in [*sorted(rooms), "aquadash/"]:
        held = own if room == "aquadash/" else rooms[room]
        print(f"{room:<14}{len(held):>6} files{sum(lines[name] for name in held):>9,} lines")
    used_by = importers(trees)
    single = [name for name in own if len(used_by[name]) == 1]
    part = sum(lines[name] for name in single) / sum(lines[name] for name in own)
    print(f"modules with a single importer: {len(single)}, {100 * part:.0f} % of the lines")
    uses = [count for name in own for count in uses_of_private_functions(trees[name])]
    print(f"private functions: {len(uses)}, used once: {uses.count(1)}, {100 * uses.count(1) / len(uses):.0f} %")
    places = defaultdict(list)
    for name in own:
        for node in trees[name].body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name.removeprefix("aquadash."))
    several = {name: where for name, where in sorted(places.items()) if len(where) > 1}
    print(f"class names that occur more than once: {len(several)}")
    for name, where in several.items():
        print(f"  {name:<20} {', '.join(where)}")


if __name__ == "__main__":
    main()
