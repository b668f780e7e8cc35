"""Fit the diffs of docs/extending.md to the committed sources: ``.venv/bin/python scripts/rebase_recipes.py``.

Each recipe is applied to a clone with git's three-way merge, or with ``patch`` where a line beside it has changed, and
its diff is written anew. A recipe that fits neither way is named and stays as it is.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "extending.md"
_RECIPE = re.compile(r"^## (?P<title>.+?)\n(?P<text>.*?)^```diff\n(?P<diff>.*?)^```$", re.MULTILINE | re.DOTALL)
_WAYS = (["git", "apply", "--3way"], ["patch", "--strip=1", "--fuzz=1", "--no-backup-if-mismatch"])


def rebased(diff: str, clone: Path) -> str | None:
    """Return the diff against the clone's sources; None if it cannot be applied."""
    for way in _WAYS:
        applied = subprocess.run(way, cwd=clone, input=diff, capture_output=True, text=True).returncode == 0
        subprocess.run(["git", "add", "--all"], cwd=clone, check=True)
        new = subprocess.run(["git", "diff", "--cached"], cwd=clone, capture_output=True, text=True, check=True).stdout
        subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=clone, check=True)
        if applied:
            return new
    return None


def main() -> int:
    """Rewrite the document, and return 1 if a recipe is left to do by hand."""
    text, failed = DOCUMENT.read_text(encoding="utf-8"), []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), folder], check=True)
        for recipe in _RECIPE.finditer(text):
            new = rebased(recipe["diff"], Path(folder))
            if new is None:
                failed.append(recipe["title"])
            else:
                text = text.replace(recipe["diff"], new)
    DOCUMENT.write_text(text, encoding="utf-8")
    for title in failed:
        print(f"{title}: its diff in {DOCUMENT.relative_to(ROOT)} no longer fits; change it by hand.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
