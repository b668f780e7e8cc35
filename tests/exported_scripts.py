"""Scripts of runs, executed in a process that cannot import AquaDash."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from aquadash import augment
from aquadash.config import RunConfig
from aquadash.data import Dataset
from aquadash.export.script import Recipe, train_script
from aquadash.models import backbone
from aquadash.training import hardware
from aquadash.training.fit import FitResult


def write_script(folder: Path, config: RunConfig, dataset: Dataset, result: FitResult) -> None:
    """Put the script of a run that ended by itself and what it needs into a folder."""
    plan, precision = augment.plan(config.augmentation), hardware.precision(config.training)
    recipe = Recipe("mine", config, plan, dataset.fingerprint, precision, last_epoch=None, data_in_zip=True)
    (folder / "train.py").write_text(train_script(recipe), encoding="utf-8")
    assert result.predictions is not None
    np.savez(folder / "predictions.npz", probabilities=result.predictions.probabilities)
    rows = [asdict(record) for record in result.history]
    lines = [",".join(rows[0]), *(",".join(repr(value) for value in row.values()) for row in rows)]
    (folder / "history.csv").write_text("\n".join(lines), encoding="utf-8")
    np.savez(
        folder / "data.npz",
        train_images=dataset.train.images,
        train_labels=dataset.train.labels,
        test_images=dataset.test.images,
        test_labels=dataset.test.labels,
        class_names=np.array(dataset.class_names),
    )
    if path := backbone.WEIGHTS_FILES.get(config.model.name):
        shutil.copy(path, folder)


#: Imports what scripts import, which takes seconds, and runs each script, or the cells of each notebook, in a copy of
#: itself in which nothing has happened.
_RUNNER = """
import codeop, json, os, runpy, sys, traceback
import keras, numpy, tensorflow

def run_cells(path):
    # As a kernel does, what a cell imports from __future__ holds in those after it.
    compiled, names = codeop.Compile(), {"__name__": "__main__"}
    for cell in json.load(open(path))["cells"]:
        if cell["cell_type"] == "code":
            exec(compiled("".join(cell["source"]) + "\\n", "cell", "exec"), names)

for line in sys.stdin:
    folder, program = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        os.chdir(folder)
        sys.path[0] = folder
        sys.argv = [program]
        sys.stdout = sys.stderr = open("said.txt", "w")
        try:
            run_cells(program) if program.endswith(".ipynb") else runpy.run_path(program, run_name="__main__")
            status = 0
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        os._exit(status)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@functools.cache
def _runner() -> subprocess.Popen[str]:
    """Started for the first script; it ends with its input, when the tests do."""
    return subprocess.Popen(
        [sys.executable, "-c", _RUNNER],
        cwd="/",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def execute(folder: Path, program: str = "train.py") -> dict[str, Any]:
    """Run a script or a notebook where no import of AquaDash can succeed; returns how it compares with the run."""
    (folder / "aquadash.py").write_text("raise ImportError('a script to take home needs no AquaDash')")
    runner = _runner()
    assert runner.stdin and runner.stdout
    print(folder, program, sep="\t", file=runner.stdin, flush=True)
    assert runner.stdout.readline() == "0\n", (folder / "said.txt").read_text()[-3000:]
    return dict(json.loads((folder / "repeated" / "comparison.json").read_text()))
