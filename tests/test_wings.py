"""A class and a cluster are wings: nothing else needs their folders, nor loads them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from aquadash import settings

#: Every page, on a home with the model that AquaDash comes with, and commands; prints what of the wings is loaded.
LOOK = """
import functools, sys
from click.testing import CliRunner
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest
from aquadash.cli import cli
from aquadash.lab import OWNER, Lab
from aquadash.pages import PAGES
from aquadash.predict import remote
from aquadash.training.answer_process import AnswerProcess
from aquadash.ui.kit import warmup

# Another process would import TensorFlow beside the pages.
warmup.prepare_training = warmup.prepare_answers = lambda: None
answers = AnswerProcess(int)
remote.shared_process = lambda: answers
# Each AppTest reads what all installed packages say of themselves.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
lab = Lab(OWNER)
run = lab.runs.first_model()
pages = [name for name in PAGES if name != "classroom"]
for page in pages:
    app = AppTest.from_file("app.py", default_timeout=120).switch_page(f"pages/{page}.py").run()
    assert not app.exception and not app.error, (page, app.exception, app.error)
print("DRAWING", sorted({"imgaug", "cv2", "numba", "scipy", "tensorflow", "sklearn"} & set(sys.modules)))
wings = ("aquadash.classroom", "aquadash.cluster", "aquadash.ui.classroom")
for words in (["runs", "list"], ["evaluate", run.run_id], ["data", "list"], ["search", "list"], ["--help"]):
    if words == ["--help"]:
        # Which commands there are in a wing is told by the wing.
        print("LOADED", [name for name in sys.modules if name.startswith(wings)])
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, (words, done.output, done.exception)
"""


def test_without_their_folders_all_pages_and_commands_work(tmp_path: Path, warm_home: Path) -> None:
    for name in ("aquadash", "pages", "app.py", ".streamlit"):
        path = settings.PROJECT_ROOT / name
        if path.is_dir():
            # With what is compiled: its files' times are copied, too.
            shutil.copytree(path, tmp_path / name, ignore=shutil.ignore_patterns("classroom", "cluster"))
        else:
            shutil.copy(path, tmp_path / name)
    assert not (tmp_path / "aquadash" / "cluster").exists()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AQUADASH_")}
    environment |= {"AQUADASH_HOME": str(warm_home), "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", LOOK]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    # imgaug, with all that it imports, takes 150 MB: the process that answers draws for the pages.
    assert "LOADED []" in done.stdout and "DRAWING []" in done.stdout, done.stdout
