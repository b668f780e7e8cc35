"""Source text of AquaDash's own modules that stand by themselves, to be carried in a script."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

from aquadash.errors import AquaDashError


def definitions(module: str) -> str:
    """All that a module defines, without its docstring and imports; the module is not imported.

    Args:
        module: Its dotted name. It must need nothing else of AquaDash.

    Raises:
        AquaDashError: Its source is not installed, or needs more of AquaDash.
    """
    # The packages above it are imported, the module itself is not.
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None or not Path(found.origin).is_file():
        raise AquaDashError(f"The source of {module} is missing from this installation. Install AquaDash again.")
    text = Path(found.origin).read_text(encoding="utf-8")
    body = ast.parse(text).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    if any(isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aquadash") for node in imports):
        raise AquaDashError(f"{module} needs other parts of AquaDash, so its source cannot be carried alone.")
    last_import = max((node.end_lineno or 0 for node in imports), default=0)
    return "\n".join(text.splitlines()[last_import:]).strip("\n")
