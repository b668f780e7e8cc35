"""The included model: a trained run that AquaDash ships, so that there is one to look at before any training.

It is put into the store as a run like any other, once: where somebody has deleted it, it stays deleted.
``scripts/pack_first_model.py`` makes the files.
"""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock

from aquadash.runs import tags as tag
from aquadash.runs.artifacts import (
    CONFIG,
    ENVIRONMENT,
    EPOCHS,
    HISTORY,
    MODEL,
    OOD_DETECTOR,
    PREDICTIONS,
    VALIDATION_PREDICTIONS,
    read_artifact,
)
from aquadash.runs.store import RunStore
from aquadash.runs.types import Run, RunStatus

#: Where the files lie.
FOLDER = Path(__file__).resolve().parent / "first_model"
CARD = "card.md"
#: Name, classes, fingerprint and final figures of the run.
RUN = "run.json"
FILES = (MODEL, PREDICTIONS, VALIDATION_PREDICTIONS, HISTORY, EPOCHS, OOD_DETECTOR, ENVIRONMENT)

#: What :attr:`Run.origin` says of it.
ORIGIN = "in the box"
NAME = "Included model"

_lock = Lock()


def find_first_model(store: RunStore) -> Run | None:
    """The run, be it deleted or not; None before it has been put into the store."""
    condition = f"tags.`{tag.ORIGIN}` = '{ORIGIN}'"
    found = [*store.search(condition), *store.search(condition, deleted=True)]
    runs = [run for stored in found if (run := stored.read()) and run.status is not RunStatus.UNREADABLE]
    return runs[0] if runs else None


def add_first_model(store: RunStore) -> Run:
    """Put the run into the store unless it is or was there; returns it. Takes about a second."""
    with _lock:
        found = find_first_model(store)
        if found is not None and (found.deleted or found.status is RunStatus.FINISHED):
            return found
        described = json.loads((FOLDER / RUN).read_text(encoding="utf-8"))
        config = read_artifact(FOLDER / CONFIG, CONFIG)
        begun = found if found is not None and found.config == config else None
        run_id = (begun or store.create(config, name=NAME, origin=ORIGIN)).run_id
        if found is not None and begun is None:
            # An older version's, which was broken off. Only now: alone in the bin it would read as deleted by somebody.
            store.delete(found.run_id)
        # Not queued, or an engine that just starts would train it; if this is broken off, the next call goes on here.
        store.set_status(run_id, RunStatus.STOPPED, message="It is just being unpacked.")
        store.set_dataset(run_id, class_names=described["class_names"], fingerprint=described["dataset_fingerprint"])
        history = read_artifact(FOLDER / HISTORY, HISTORY)
        curve = [record.val_accuracy for record in history]
        store.log_epoch(run_id, *history, curve=curve, again=begun is not None)
        for name in FILES:
            store.add_artifact(run_id, FOLDER / name)
        store.set_metrics(run_id, described["metrics"])
        store.set_note(run_id, (FOLDER / CARD).read_text(encoding="utf-8"))
        store.set_status(run_id, RunStatus.FINISHED)
        return store.get(run_id)
