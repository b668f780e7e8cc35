"""The included model: a trained run that AquaDash ships, so that a new home has one to look at.

It is stored once as a run like any other, so that a deleted one stays deleted.
``scripts/pack_first_model.py`` makes the files.
"""

import json
import time
from dataclasses import replace
from pathlib import Path
from threading import Lock

from aquadash.store.artifacts import CONFIG, HISTORY, PREDICTIONS, read_artifact
from aquadash.store.runs import RunStore, new_run, thin
from aquadash.store.types import Run, RunStatus

#: The folder of the files.
FOLDER = Path(__file__).resolve().parent / "first_model"
CARD = "card.md"
#: Classes, fingerprint and final figures of the run.
RUN = "run.json"

#: :attr:`Run.origin` of the run.
ORIGIN = "in the box"
NAME = "Included model"

_lock = Lock()


def add_first_model(store: RunStore) -> Run:
    """Store the run unless it was stored before; return it, also from the bin."""
    with _lock:
        for run in store.find(origin=ORIGIN):
            if run.status is not RunStatus.UNREADABLE:
                return run
        described = json.loads((FOLDER / RUN).read_text(encoding="utf-8"))
        history = read_artifact(FOLDER / HISTORY, HISTORY)
        run = replace(
            new_run(read_artifact(FOLDER / CONFIG, CONFIG), name=NAME, origin=ORIGIN),
            status=RunStatus.FINISHED,
            ended_at=time.time(),
            class_names=tuple(described["class_names"]),
            dataset_fingerprint=described["dataset_fingerprint"],
            curve=tuple(thin([record.val_accuracy for record in history])),
            metrics=described["metrics"],
            test_images=len(read_artifact(FOLDER / PREDICTIONS, PREDICTIONS).labels),
            note=(FOLDER / CARD).read_text(encoding="utf-8"),
        )
        for path in FOLDER.iterdir():
            if path.name not in (CARD, RUN):
                store.add_artifact(run.run_id, path)
        return store.add(run, history)
