"""Moving a run between stores: all that the store knows of it, out and in again."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, Field

from aquadash import people
from aquadash.classroom.rights import Action, require
from aquadash.errors import RunError, StorageError
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.store import _MLFLOW_STATUS, RunStore
from aquadash.runs.types import Figure, Run, RunStatus

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)

#: What :attr:`Run.origin` says of a run that came from another store.
IMPORTED = "imported"

#: 2,000 epochs of six metrics, and room for what earlier versions logged twice.
_MAX_POINTS = 20_000

#: MLflow takes at most 1,000 metrics and 100 tags in one call.
_METRICS_A_CALL = 1_000
_TAGS_A_CALL = 100

_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w./ -]{0,199}$")]


class Point(NamedTuple):
    """A logged value of a metric.

    Attributes:
        step: The epoch, or 0.
        value: The value.
        time: When it was logged, in milliseconds since 1970 UTC.
    """

    step: Annotated[int, Field(strict=True, ge=0, lt=2**31)]
    value: Figure
    time: Annotated[int, Field(strict=True, ge=0, lt=2**45)]


class Snapshot(BaseModel, frozen=True):
    """A run without its files.

    Attributes:
        run_id: Its id where it was made.
        tags: All that moves with it, by MLflow's names; a tag of MLflow holds at most 8,000 characters.
        metrics: The points of each metric in the order of their steps.
    """

    run_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    tags: Annotated[dict[_Name, Annotated[str, Field(strict=True, max_length=8000)]], Field(max_length=200)]
    metrics: Annotated[dict[_Name, list[Point]], Field(max_length=200)]

    def run(self) -> Run:
        """The run as a store would read it.

        Raises:
            RunError: It is none of AquaDash's, cannot be read, has not ended, or holds more than a run can.
        """
        if (count := sum(map(len, self.metrics.values()))) > _MAX_POINTS:
            raise RunError(f"The run has {count:,} points of metrics; at most {_MAX_POINTS:,} are expected.")
        run = tag.read_run(self.run_id, self.tags, deleted=False)
        if run is None:
            raise RunError("Status or settings of the run are missing.")
        if run.status is RunStatus.UNREADABLE:
            raise RunError(run.message)
        if not run.status.ended:
            raise RunError(f"The run is {run.status}; only one that has ended can be moved.")
        return run


def take_snapshot(store: RunStore, run_id: str) -> Snapshot:
    """All that the store knows of a run, its files aside.

    Raises:
        RunError: It has not ended.
        NotAllowedError: Whoever asks may not open it.
    """
    run = store.get(run_id)
    require(Action.OPEN_MODEL, run.thing)
    if not run.status.ended:
        raise RunError(f"{run.name} is {run.status}. It can be taken home once it has ended; stop it to have it now.")
    with storage_errors("read the run"):
        data = store._client.get_run(run_id).data
        metrics = {
            name: [
                Point(int(point.step), float(point.value), int(point.timestamp))
                for point in sorted(
                    store._client.get_metric_history(run_id, name), key=lambda point: (point.step, point.timestamp)
                )
            ]
            for name in sorted(data.metrics)
        }
    moving = {name: value for name, value in sorted(data.tags.items()) if tag.moves(name)}
    # What is written, and not what it reads as: a worker that went silent has not written how it ended.
    moving[tag.STATUS] = str(run.status)
    return Snapshot(run_id=run_id, tags=moving, metrics=metrics)


def admit(store: RunStore, snapshot: Snapshot, files: Iterable[tuple[str, Path]]) -> Run:
    """Put a run from another store into this one; nobody sees it before it is complete, and a failure leaves nothing.

    Args:
        store: Where to.
        snapshot: The run; checked here.
        files: Its artifacts, as (name, file); a name may have one folder: ``checkpoint/slot-0.npz``.

    Returns:
        The run as stored. Its id is the one it had where that is free and the store lets it be chosen.

    Raises:
        RunError: The snapshot is not of a run.
        StorageError: It cannot be stored.
    """
    require(Action.UPLOAD)
    described = snapshot.run()
    tags = {name: value for name, value in snapshot.tags.items() if tag.moves(name)}
    status = tags.pop(tag.STATUS)
    tags |= {tag.ORIGIN: IMPORTED, tag.SOURCE: "AquaDash", **tag.owner_tags(people.current())}
    with storage_errors("store the imported run"), people.acting(people.OWNER):
        run_id = _create(store, snapshot.run_id, described)
        try:
            _fill(store, run_id, snapshot, tags, described, files)
            # Until it has a status, a run counts as another program's and is not shown.
            store._set(run_id, "store the imported run", {tag.STATUS: status})
            if described.class_names and described.dataset_fingerprint:
                # For MLflow's own pages; the tags are there already.
                store.set_dataset(run_id, class_names=described.class_names, fingerprint=described.dataset_fingerprint)
            return replace(store.get(run_id), deleted=False)
        except BaseException:
            remove_traces(store, run_id)
            raise


def remove_traces(store: RunStore, run_id: str) -> None:
    """Remove a run and its files for good, as far as the store can: a server keeps an empty one in its bin."""
    require(Action.WORK)
    with suppress(Exception):
        store.remove_artifacts(run_id, "")
    tracking = _tracking_store(store._client)
    try:
        tracking._hard_delete_run(run_id)
    except Exception as error:
        _log.info("the store cannot remove run %s for good (%s)", run_id, type(error).__name__)
        with suppress(Exception):
            store._client.delete_run(run_id)


def _create(store: RunStore, wanted: str, described: Run) -> str:
    """An empty run without a status, of the wanted id if that can be; returns its id."""
    client, start = store._client, int(described.created_at * 1000)
    if _insert(store, wanted, described, start):
        return wanted
    name = described.name
    return str(client.create_run(store._experiment_id, start_time=start, run_name=name).info.run_id)


def _insert(store: RunStore, run_id: str, described: Run, start: int) -> bool:
    """Add the run to the tables of a database under its own id, which MLflow's interface does not offer.

    Returns:
        False where the store is no database of this process, the id is taken, or the tables are not as expected.
    """
    from mlflow.entities import LifecycleStage, SourceType
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.utils.uri import append_to_uri_path
    from sqlalchemy.exc import SQLAlchemyError

    tracking = _tracking_store(store._client)
    if not isinstance(tracking, SqlAlchemyStore):
        return False
    experiment = store._client.get_experiment(store._experiment_id)
    try:
        with tracking.ManagedSessionMaker(read_only=False) as session:
            if session.get(SqlRun, run_id) is not None:
                return False
            row = SqlRun(
                run_uuid=run_id,
                name=described.name,
                experiment_id=int(store._experiment_id),
                artifact_uri=append_to_uri_path(experiment.artifact_location, run_id, "artifacts"),
                source_type=SourceType.to_string(SourceType.UNKNOWN),
                source_name="",
                entry_point_name="",
                source_version="",
                user_id="",
                status="RUNNING",
                start_time=start,
                lifecycle_stage=LifecycleStage.ACTIVE,
            )
            row.tags = [SqlTag(key=tag.NAME, value=described.name)]
            session.add(row)
        return True
    except (MlflowException, SQLAlchemyError, TypeError, AttributeError, ValueError) as error:
        _log.info("the run gets a new id: %s", error)
        return False


def _tracking_store(client: MlflowClient) -> Any:
    return client._tracking_client.store


def _fill(
    store: RunStore,
    run_id: str,
    snapshot: Snapshot,
    tags: Mapping[str, str],
    described: Run,
    files: Iterable[tuple[str, Path]],
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    client = store._client
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
