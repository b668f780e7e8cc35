"""The imports follow the table in the docstring of ``aquadash``."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import aquadash
from aquadash.pages import PAGES

PACKAGE = Path(aquadash.__file__).parent
ROOT = PACKAGE.parent

#: Libraries that take long to import or belong to one room; a room may import those of its line only.
HEAVY = set(
    """
    tensorflow keras mlflow sqlalchemy distributed dask imgaug cv2 sklearn scipy streamlit plotly pandas click
    pydantic optuna PIL numpy psutil imagecorruptions h5py jinja2 nbformat icu rich
    """.split()
)

_ROW = re.compile(r"^``(?P<room>\w+)``\s+.*?\s{2,}(?P<heavy>[\w, -]+)$")


def table() -> dict[str, set[str]]:
    """The rooms in order, each with the heavy imports it may make."""
    assert aquadash.__doc__
    rows = (_ROW.match(line) for line in aquadash.__doc__.splitlines())
    return {row["room"]: {name.strip() for name in row["heavy"].split(",")} - {"-"} for row in rows if row}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def imports(path: Path) -> list[str]:
    """Every module that the file imports, inside functions too, and with its module each name that it takes of one."""
    modules: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} uses a relative import"
            modules += (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    return modules


def sources() -> list[Path]:
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.parent != PACKAGE or path.stem not in ("__init__", "__main__")
    ]


def wrong_arrows(room: str, imported: Iterable[str], rooms: dict[str, set[str]]) -> list[str]:
    """Return the imports of a file of ``room`` that the table does not allow."""
    order, wrong = list(rooms), []
    for module in imported:
        library, _, other = module.partition(".")
        other = other.partition(".")[0]
        if library == "aquadash" and other in rooms and order.index(other) > order.index(room):
            wrong.append(f"{room} imports the later room {other}")
        if library in HEAVY and library not in rooms[room]:
            wrong.append(f"{room} imports {library}, which is not in its line")
    return wrong


def test_every_room_has_a_line_and_imports_point_one_way() -> None:
    rooms = table()
    assert {room_of(path) for path in sources()} == set(rooms)
    wrong = {str(path.relative_to(ROOT)): wrong_arrows(room_of(path), imports(path), rooms) for path in sources()}
    assert {path: offences for path, offences in wrong.items() if offences} == {}


def test_every_page_has_a_folder_and_imports_from_the_kit_and_its_own_folder() -> None:
    assert {path.parent.name for path in (PACKAGE / "ui").glob("*/page.py")} == set(PAGES)
    assert {path.parent.name for path in (PACKAGE / "ui").glob("*/__init__.py")} == {*PAGES, "kit"}
    wrong = {}
    for path in (PACKAGE / "ui").glob("*/*.py"):
        allowed = ("aquadash.ui", "aquadash.ui.kit", f"aquadash.ui.{path.parent.name}")
        parts = {".".join(name.split(".")[:3]) for name in imports(path) if name.startswith("aquadash.ui")}
        if others := parts - {*allowed}:
            wrong[str(path.relative_to(ROOT))] = others
    assert wrong == {}


def test_one_file_knows_mlflow_and_one_room_dask() -> None:
    def users(*packages: str) -> set[Path]:
        return {path for path in sources() if {name.split(".")[0] for name in imports(path)} & {*packages}}

    assert {path.name for path in users("mlflow")} == {"mlflow_log.py"}
    assert {room_of(path) for path in users("dask", "distributed")} == {"cluster"}


#: Modules that only the lab may use, because the lab checks the rights. `warmup` opens them in the background.
BEHIND_THE_LAB = re.compile(
    r"aquadash\.(store\.(runs|jobs|database|open_store|open_jobs|RunStore)|work\.(queue\.(open_engine|Engine)|worker)|"
    r"search\.(job|store)|data\.(load|folder\.store)|export\.importing)\b"
)


def behind_the_lab(path: Path) -> list[str]:
    """Return the imports of a file that only the lab may have."""
    return [name for name in imports(path) if BEHIND_THE_LAB.match(name)]


def test_pages_do_what_they_do_by_the_lab() -> None:
    faces = [*ROOT.glob("pages/*.py"), *(path for path in sources() if room_of(path) == "ui")]
    offences = {str(path.relative_to(ROOT)): behind_the_lab(path) for path in faces if path.name != "warmup.py"}
    assert {path: names for path, names in offences.items() if names} == {}
    assert behind_the_lab(PACKAGE / "ui" / "kit" / "warmup.py") and behind_the_lab(PACKAGE / "lab" / "runs.py")


def test_importing_every_room_imports_nothing_slow() -> None:
    rooms = [room for room in table() if room not in ("ui", "cli")]
    code = (
        "import sys\n"
        + "".join(f"import aquadash.{room}\n" for room in rooms)
        + "slow = {'tensorflow', 'keras', 'mlflow', 'distributed', 'imgaug', 'cv2', 'sklearn', 'scipy',"
        + " 'imagecorruptions'}\n"
        + "print(sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
