"""The recipes of docs/extending.md: each applies to the sources, touches as few files as it says, and is seen."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Sources that a recipe may touch, or that running it needs.
_SOURCES = ("aquadash", "pages", "scripts", "tests", "docs", "README.md", "app.py", "pyproject.toml", ".streamlit")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git, which applies the diffs")


@dataclass(frozen=True)
class Recipe:
    """A section of the document: what it adds, how many files that takes by its own word, and the diff."""

    title: str
    files: int
    diff: str

    @property
    def touched(self) -> list[str]:
        """The files that the diff changes or makes."""
        return re.findall(r"^\+\+\+ b/(\S+)$", self.diff, re.MULTILINE)


def recipes() -> list[Recipe]:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(.+?)\]\(#[\w-]+\) \| (\d) files? \|", text, re.MULTILINE)
    diffs = dict(re.findall(r"^## (.+?)\n.*?^```diff\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    assert [title for title, _ in rows] == list(diffs), "the table and the sections differ"
    return [Recipe(title, int(files), diffs[title]) for title, files in rows]


def apply(recipe: Recipe, folder: Path, *options: str) -> None:
    done = subprocess.run(["git", "apply", *options], cwd=folder, input=recipe.diff, capture_output=True, text=True)
    assert done.returncode == 0, (
        f"The recipe {recipe.title!r} of docs/extending.md no longer fits. Commit, then run scripts/rebase_recipes.py. "
        f"{done.stderr}"
    )


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the sources, outside of any repository."""
    folder = tmp_path / "sources"
    for name in _SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_each_recipe_applies_and_touches_as_few_files_as_it_says(sources: Path) -> None:
    for recipe in recipes():
        apply(recipe, sources, "--check")
        assert len(set(recipe.touched)) == recipe.files, recipe.title


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_what_the_recipes_add_is_seen_on_its_page_and_in_its_command(sources: Path) -> None:
    """All of them in one copy, for each new process that loads the app takes seconds."""
    for recipe in recipes():
        apply(recipe, sources)
    own = [path for recipe in recipes() for path in recipe.touched if path.startswith("tests/")]
    passed = [run_tests(sources, *files) for files in (["tests/support/recipe_checks.py"], own)]
    assert passed[0] + len(own) == len(recipes()) and passed[1] >= len(own)


def run_tests(folder: Path, *files: str) -> int:
    """Run the tests of these files, which must pass, and return their number."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    (number,) = re.findall(r"^(\d+) passed", done.stdout, re.MULTILINE)
    return int(number)
