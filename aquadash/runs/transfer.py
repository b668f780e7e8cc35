"""Moving a run between stores: all that the store knows of it, out and in again."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, Field

from aquadash.errors import RunError, StorageError
from aquadash.people import OWNER, Person
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.store import _MLFLOW_STATUS, EPOCH_METRICS, FINAL, RunStore
from aquadash.runs.types import Figure, Run, RunStatus, within_their_ranges
from aquadash.settings import checked_run_id

#: What :attr:`Run.origin` says of a run that came from another store.
IMPORTED = "imported"

#: 2,000 epochs of six metrics, and room for what earlier versions logged twice.
_MAX_POINTS = 20_000

#: MLflow takes at most 1,000 metrics and 100 tags in one call.
_METRICS_A_CALL = 1_000
_TAGS_A_CALL = 100


def _stays_in_its_folder(name: str) -> str:
    """MLflow keeps a metric as a file of its name, and refuses one that leads elsewhere."""
    if posixpath.normpath(name) != name:
        raise ValueError(f"the name {name[:60]} leads elsewhere; expected one without /../, /./ or //")
    return name


_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w./ -]{0,199}$"), AfterValidator(_stays_in_its_folder)]


class Point(NamedTuple):
    """A logged value of a metric."""

    #: The epoch, or 0.
    step: Annotated[int, Field(strict=True, ge=0, lt=2**31)]
    value: Figure
    #: When it was logged, in milliseconds since 1970 UTC.
    time: Annotated[int, Field(strict=True, ge=0, lt=2**45)]


class Snapshot(BaseModel, frozen=True):
    """A run without its files."""

    #: Its id where it was made.
    run_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    #: All that moves with it, by MLflow's names; a tag of MLflow holds at most 8,000 characters.
    tags: Annotated[dict[_Name, Annotated[str, Field(strict=True, max_length=8000)]], Field(max_length=200)]
    #: The points of each metric in the order of their steps.
    metrics: Annotated[dict[_Name, list[Point]], Field(max_length=200)]

    @property
    def original_id(self) -> str:
        """The id that it had where it was trained: it may have been moved before."""
        return self.run().imported_id or self.run_id

    def run(self) -> Run:
        """The run as a store would read it.

        Raises:
            RunError: It is none of AquaDash's, cannot be read, has not ended, or holds more than a run can.
        """
        if (count := sum(map(len, self.metrics.values()))) > _MAX_POINTS:
            raise RunError(f"The run has {count:,} points of metrics; at most {_MAX_POINTS:,} are expected.")
        run = tag.StoredRun(self.run_id, self.tags).read()
        if run is None:
            raise RunError("Status or settings of the run are missing.")
        if run.status is RunStatus.UNREADABLE:
            raise RunError(run.message)
        if not run.status.ended:
            raise RunError(f"The run is {run.status}; only one that has ended can be moved.")
        if len(set(run.class_names)) < len(run.class_names):
            raise RunError("Two classes of the run have the same name.")
        most = run.config.training.epochs
        for name, points in self.metrics.items():
            for point in points:
                if name in EPOCH_METRICS and point.step > most:
                    raise RunError(f"{name} has a value of epoch {point.step}; the run has at most {most}.")
                try:
                    within_their_ranges({name.removeprefix(FINAL): point.value})
                except ValueError as error:
                    raise RunError(f"Epoch {point.step}: {error}.") from None
        return run


def take_snapshot(store: RunStore, run_id: str) -> Snapshot:
    """All that the store knows of a run, its files aside."""
    run = store.get(run_id)
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. It can be exported once it has ended; stop it to have it now.")
    with storage_errors("read the run"):
        data = store.client.get_run(run_id).data
        metrics = {
            name: [
                Point(int(point.step), float(point.value), int(point.timestamp))
                for point in sorted(
                    store.client.get_metric_history(run_id, name), key=lambda point: (point.step, point.timestamp)
                )
            ]
            for name in sorted(data.metrics)
        }
    moving = {name: value for name, value in sorted(data.tags.items()) if tag.moves(name)}
    # What is written, and not what it reads as: a worker that went silent has not written how it ended.
    moving[tag.STATUS] = str(run.status)
    return Snapshot(run_id=run_id, tags=moving, metrics=metrics)


def admit(store: RunStore, snapshot: Snapshot, files: Iterable[tuple[str, Path]], *, owner: Person = OWNER) -> Run:
    """Put a run from another store into this one; nobody sees it before it is complete, and a failure leaves nothing.

    Args:
        snapshot: The run; checked here.
        files: Its artifacts, as (name, file); a name may have one folder: ``checkpoint/slot-0.npz``.

    Returns:
        The run as stored, with an id of its own; the one that it had where it was trained is kept beside it.

    Raises:
        RunError: The snapshot is not of a run.
        StorageError: It cannot be stored.
    """
    described = snapshot.run()
    tags = {name: value for name, value in snapshot.tags.items() if tag.moves(name)}
    status = tags.pop(tag.STATUS)
    tags |= {tag.ORIGIN: IMPORTED, tag.SOURCE: "AquaDash", **tag.owner_tags(owner)}
    tags[tag.IMPORTED_ID] = snapshot.original_id
    if described.pinned or described.pinned_by_owner:
        # For all, or for its owner, where it comes from; here for whoever brings it in.
        tags[tag.PINNED] = tag.PINNED_FOR_ALL if owner.leads else tag.PINNED_BY_OWNER
    with storage_errors("store the imported run"):
        begun = int(described.created_at * 1000)
        created = store.client.create_run(store.experiment_id, start_time=begun, run_name=described.name)
        run_id: str = created.info.run_id
        try:
            _fill(store, run_id, snapshot, tags, described, files)
            # Until it has a status, a run counts as another program's and is not shown.
            store.set_tags(run_id, "store the imported run", {tag.STATUS: status})
            if described.class_names and described.dataset_fingerprint:
                # For MLflow's own pages; the tags are there already.
                store.set_dataset(run_id, class_names=described.class_names, fingerprint=described.dataset_fingerprint)
            return store.get(run_id)
        except BaseException:
            remove_traces(store, run_id)
            raise


def copies_of(store: RunStore, original_id: str) -> list[str]:
    """The ids of the runs here, those in the bin not among them, that were trained as the run of that id."""
    found = store.search(f"tags.`{tag.IMPORTED_ID}` = '{checked_run_id(original_id)}'")
    own = store.stored_run(original_id)
    if own is not None and not own.deleted:
        found.insert(0, own)
    return [stored.run_id for stored in found if tag.STATUS in stored.tags]


def remove_traces(store: RunStore, run_id: str) -> None:
    """Remove all that a run has and put it into MLflow's bin, where it counts as another program's and is not shown."""
    for remove in (
        lambda: store.remove_artifacts(run_id, ""),
        lambda: store.client.delete_tag(run_id, tag.STATUS),
        lambda: store.client.delete_run(run_id),
    ):
        with suppress(Exception):
            remove()
    store.jobs.run_changed(run_id)


def _fill(
    store: RunStore,
    run_id: str,
    snapshot: Snapshot,
    tags: Mapping[str, str],
    described: Run,
    files: Iterable[tuple[str, Path]],
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    client = store.client
    client.log_batch(run_id, params=[Param(key, value) for key, value in tag.parameters(described.config).items()])
    points = [
        Metric(name, point.value, point.time, point.step)
        for name, history in snapshot.metrics.items()
        for point in history
    ]
    for start in range(0, len(points), _METRICS_A_CALL):
        client.log_batch(run_id, metrics=points[start : start + _METRICS_A_CALL], synchronous=True)
    entries = [RunTag(name, value) for name, value in tags.items()]
    for start in range(0, len(entries), _TAGS_A_CALL):
        client.log_batch(run_id, tags=entries[start : start + _TAGS_A_CALL])
    for name, path in files:
        folder, _, file_name = name.rpartition("/")
        if path.name != file_name:
            raise StorageError(f"The file {path.name} cannot be kept as {name}.")
        store.add_artifact(run_id, path, folder=folder or None)
    ended = described.ended_at
    client.set_terminated(run_id, _MLFLOW_STATUS[described.status], int(ended * 1000) if ended else None)
