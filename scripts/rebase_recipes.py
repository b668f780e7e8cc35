"""Fit the diffs of docs/extending.md to the committed sources: ``.venv/bin/python scripts/rebase_recipes.py``.

git's three-way merge applies each recipe to a clone. A recipe that does not merge is named and stays as it is.
"""

import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "extending.md"

text = DOCUMENT.read_text(encoding="utf-8")
with tempfile.TemporaryDirectory() as clone:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), clone], check=True)
    for old in re.findall(r"^```diff\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        merged = subprocess.run(["git", "apply", "--3way", "--index"], cwd=clone, input=old, text=True).returncode == 0
        new = subprocess.run(["git", "diff", "HEAD"], cwd=clone, check=True, capture_output=True, text=True).stdout
        subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=clone, check=True)
        if merged:
            text = text.replace(old, new)
        else:
            print(f"This recipe no longer fits; change it by hand:\n{old[:300]}")
DOCUMENT.write_text(text, encoding="utf-8")
