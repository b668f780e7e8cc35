"""Moving a run between homes: the record of the run and its epochs, as exports write and imports read it."""

import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from aquadash import settings
from aquadash.errors import RunError
from aquadash.people import OWNER, Person
from aquadash.store import old
from aquadash.store.runs import STORED, RunStore
from aquadash.store.types import EpochRecord, Run, clean_name, in_order, read_run, values_of

#: :attr:`Run.origin` of a run that was imported.
IMPORTED = "imported"

#: Columns that move: all but those that refer to the run's home or follow from the person who imports it.
_MOVING = STORED - set("run_id owner owner_name shared hidden deleted search_id trial origin worker".split())

_MAX_EPOCHS = 2000

RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Record(BaseModel, frozen=True):
    """A run without its files, as in a ZIP file."""

    #: The id in the run's home.
    run_id: RunId
    #: The columns that move.
    run: dict[str, Any]
    #: The complete epochs.
    epochs: Annotated[list[EpochRecord], Field(max_length=_MAX_EPOCHS)]

    def read(self) -> Run:
        """Return the run; raise ``AquaDashError`` if it is unreadable, has not ended, or has impossible values."""
        moved = {name: value for name, value in self.run.items() if name in _MOVING}
        run = read_run({**moved, "run_id": self.run_id})
        if not run.status.ended:
            raise RunError(f"The run is {run.status}; only one that has ended can be moved.")
        if len(set(run.class_names)) < len(run.class_names):
            raise RunError("Two classes of the run have the same name.")
        try:
            in_order(self.epochs, run.config.training.epochs)
        except ValueError as error:
            raise RunError(f"The epochs of the run cannot be used: {error}.") from None
        return replace(run, name=clean_name(run.name) or self.run_id[:8])


class OldRecord(BaseModel, frozen=True):
    """A run without its files, as versions up to 0.7 wrote it."""

    run_id: RunId
    #: MLflow's tags, each of at most 8,000 characters.
    tags: Annotated[dict[str, Annotated[str, Field(strict=True, max_length=8000)]], Field(max_length=200)]
    #: The points of each metric: epoch, value, time in milliseconds since 1970 UTC.
    metrics: Annotated[
        dict[str, Annotated[list[tuple[int, float, int]], Field(max_length=20_000)]], Field(max_length=200)
    ]

    def to_record(self) -> Record:
        """Return the run in the present form; raise ``AquaDashError`` if it is unreadable."""
        run = old.run_of(self.run_id, self.tags)
        if run is None:
            raise RunError("Status or settings of the run are missing.")
        return Record(run_id=self.run_id, run=values_of(run, _MOVING), epochs=old.epochs_of(self.metrics))


def take_record(store: RunStore, run_id: str) -> Record:
    """Return the record of an ended run."""
    run = store.get(run_id)
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. It can be exported once it has ended; stop it to have it now.")
    return Record(run_id=run_id, run=values_of(run, _MOVING), epochs=store.history(run_id))


def admit(store: RunStore, record: Record, files: Iterable[tuple[str, Path]], *, owner: Person = OWNER) -> Run:
    """Store a run of another home and its (name, path) files under a new id, or nothing after a failure."""
    run = record.read()
    is_pinned = run.pinned or run.pinned_by_owner
    run = replace(
        run,
        run_id=uuid.uuid4().hex,
        origin=IMPORTED,
        imported_id=run.imported_id or record.run_id,
        owner=owner.person_id,
        owner_name=owner.name,
        shared=owner.leads,
        pinned=is_pinned and owner.leads,
        pinned_by_owner=is_pinned and not owner.leads,
    )
    try:
        for name, path in files:
            store.add_artifact(run.run_id, path, name)
        return store.add(run, record.epochs)
    except BaseException:
        with suppress(OSError):
            shutil.rmtree(settings.run_folder(run.run_id), ignore_errors=True)
        raise


def copies_of(store: RunStore, original_id: str) -> list[str]:
    """Return the ids of the run that was trained under that id and of its imported copies, those in the bin aside."""
    runs = [*store.find(run_id=original_id), *store.find(imported_id=original_id)]
    return [run.run_id for run in runs if not run.deleted]
