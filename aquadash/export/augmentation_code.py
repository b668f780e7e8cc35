"""A pipeline's own script, cut to what stands in the middle of another: imports apart, and no command line."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from aquadash.augment import PipelineSpec, to_code

#: What only the pipeline's command line needs.
_OF_COMMAND = frozenset({"argparse", "pathlib", "PIL", "__future__"})


@dataclass(frozen=True)
class AugmentationCode:
    """Code that defines ``augment(images, seed)``, which gives the images of :func:`aquadash.augment.apply`.

    Attributes:
        imports: Its import statements, a line each, without numpy as ``np``.
        body: All else.
        names: What it defines.
    """

    imports: tuple[str, ...]
    body: str
    names: frozenset[str]


def augmentation_code(spec: PipelineSpec) -> AugmentationCode:
    """Cut the code of a pipeline.

    Raises:
        ConfigError, UnknownNameError: The pipeline does not fit the catalogue; nothing unchecked gets into code.
    """
    text = to_code(spec)
    tree = ast.parse(text).body
    imports = [node for node in tree if isinstance(node, ast.Import | ast.ImportFrom)]
    command = next(node for node in tree if isinstance(node, ast.FunctionDef) and node.name == "main")
    first = max(node.end_lineno or 0 for node in imports)
    body = "\n".join(text.splitlines()[first : command.lineno - 1]).strip("\n")
    # A title that a person typed stands in a comment there, where it must not begin a cell.
    body = re.sub(r"^(\s*#)\s*%%", r"\1 - %%", body, flags=re.MULTILINE)
    kept = [node for node in imports if _package(node) not in _OF_COMMAND]
    lines = [ast.unparse(node) for node in kept]
    return AugmentationCode(
        tuple(line for line in lines if line != "import numpy as np"), body, frozenset(defined(body))
    )


def defined(code: str) -> set[str]:
    """The names that code defines at its top."""
    names: set[str] = set()
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return names


def _package(node: ast.Import | ast.ImportFrom) -> str:
    name = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
    return name.split(".")[0]
