"""Moving a run between homes: its record and its epochs, out and in again."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter

from aquadash import settings
from aquadash.config import from_mapping
from aquadash.errors import AquaDashError, RunError, StorageError
from aquadash.people import OWNER, Person
from aquadash.store import old
from aquadash.store.runs import RunStore, values_of
from aquadash.store.types import EpochRecord, Run, RunStatus, clean_name, reason, within_their_ranges

#: :attr:`Run.origin` of a run that was imported.
IMPORTED = "imported"

#: These columns mean something in the home alone in which the run was made, or follow from who imports it.
_STAY = frozenset(
    ("run_id", "owner", "owner_name", "shared", "hidden", "deleted", "search_id", "trial", "origin", "worker")
)

_MAX_EPOCHS = 2000
_RUN = TypeAdapter(Run)

RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Record(BaseModel, frozen=True):
    """A run without its files, as a ZIP file has it."""

    #: Its id where it was made.
    run_id: RunId
    #: The columns that move.
    run: dict[str, Any]
    #: Its complete epochs.
    epochs: Annotated[list[EpochRecord], Field(max_length=_MAX_EPOCHS)]

    def read(self) -> Run:
        """Return the run as a store would read it.

        Raises:
            RunError: It cannot be read, has not ended, or holds more than a run can.
        """
        try:
            values = {name: value for name, value in self.run.items() if name not in _STAY}
            run = _RUN.validate_python({**values, "run_id": self.run_id, "config": from_mapping(values["config"])})
            if run.status is RunStatus.UNREADABLE:
                raise ValueError(f"status: {run.status}")
        except (KeyError, TypeError, ValueError, AquaDashError) as error:
            raise RunError(f"What is stored of this run cannot be read ({reason(error)}).") from None
        return checked(replace(run, name=clean_name(run.name) or self.run_id[:8]), self.epochs)


class OldRecord(BaseModel, frozen=True):
    """A run without its files, as versions up to 0.7 wrote it."""

    run_id: RunId
    #: MLflow's tags; one holds at most 8,000 characters.
    tags: Annotated[dict[str, Annotated[str, Field(strict=True, max_length=8000)]], Field(max_length=200)]
    #: For each metric its points: epoch, value, time in milliseconds since 1970 UTC.
    metrics: Annotated[
        dict[str, Annotated[list[tuple[int, float, int]], Field(max_length=20_000)]], Field(max_length=200)
    ]

    def to_record(self) -> Record:
        """Return the same in the present form."""
        run = old.run_of(self.run_id, self.tags)
        if run is None:
            raise RunError("Status or settings of the run are missing.")
        if run.status is RunStatus.UNREADABLE:
            raise RunError(run.message)
        points = {
            name: [(epoch, time, value) for epoch, value, time in values] for name, values in self.metrics.items()
        }
        return Record(run_id=self.run_id, run=moving(run), epochs=old.epochs_of(points))


def moving(run: Run) -> dict[str, Any]:
    """Return the columns of a run that move with it."""
    return {name: value for name, value in values_of(run).items() if name not in _STAY}


def checked(run: Run, epochs: Sequence[EpochRecord]) -> Run:
    """Return the run if it can be moved.

    Raises:
        RunError: It has not ended, or holds more than a run can.
    """
    if not run.status.ended:
        raise RunError(f"The run is {run.status}; only one that has ended can be moved.")
    if len(set(run.class_names)) < len(run.class_names):
        raise RunError("Two classes of the run have the same name.")
    most = run.config.training.epochs
    last = 0
    for record in epochs:
        if not last < record.epoch <= most:
            raise RunError(f"Epoch {record.epoch} comes after epoch {last}; the run has at most {most}.")
        last = record.epoch
        try:
            within_their_ranges({name: value for name, value in vars(record).items()})
        except ValueError as error:
            raise RunError(f"Epoch {record.epoch}: {error}.") from None
    return run


def take_record(store: RunStore, run_id: str) -> Record:
    """Return what the store has of a run, its files aside."""
    run = store.get(run_id)
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. It can be exported once it has ended; stop it to have it now.")
    return Record(run_id=run_id, run=moving(run), epochs=store.history(run_id))


def admit(store: RunStore, record: Record, files: Iterable[tuple[str, Path]], *, owner: Person = OWNER) -> Run:
    """Store a run of another home. A failure leaves nothing behind.

    Args:
        store: Where it is to be stored.
        record: The run; checked here.
        files: Its files, as (name, file); a name may have one folder: ``checkpoint/slot-0.npz``.
        owner: Who imports it.

    Returns:
        The run as stored, with an id of its own. ``imported_id`` keeps the id that it had where it was trained.

    Raises:
        RunError: The record is not of a run.
        StorageError: It cannot be stored.
    """
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
            folder, _, file_name = name.rpartition("/")
            if path.name != file_name:
                raise StorageError(f"The file {path.name} cannot be kept as {name}.")
            store.add_artifact(run.run_id, path, folder=folder)
        return store.add(run, record.epochs)
    except BaseException:
        with suppress(OSError):
            shutil.rmtree(settings.run_folder(run.run_id), ignore_errors=True)
        raise


def copies_of(store: RunStore, original_id: str) -> list[str]:
    """Return the ids of the runs here that were trained as the run of that id, without those in the bin."""
    runs = [*store.find(run_id=original_id), *store.find(imported_id=original_id)]
    return [run.run_id for run in runs if not run.deleted]
