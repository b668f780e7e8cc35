"""What is read of runs: their records and their histories.

Whoever asks gets what they may see: students do not find runs that the teacher has hidden, unless they are their own.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import fields
from typing import TYPE_CHECKING

from aquadash import people
from aquadash.classroom.rights import Action, allowed, require, viewed
from aquadash.errors import RunError, StorageError, UnknownNameError
from aquadash.runs import tags as tag
from aquadash.runs.connection import storage_errors
from aquadash.runs.types import EpochRecord, Run, RunStatus, Worker

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

#: The columns of a history, in the order of ``history.csv`` after ``epoch``.
EPOCH_METRICS = tuple(field.name for field in fields(EpochRecord) if field.name != "epoch")

_PAGE = 500


class RunReading:
    """The part of the run store that reads runs."""

    _client: MlflowClient
    _experiment_id: str

    def list_runs(self, *, deleted: bool = False) -> list[Run]:
        """All runs, newest first; with ``deleted`` those in the bin instead that whoever asks may bring back.

        Reads the whole store; :class:`~aquadash.runs.snapshot.RunSnapshot` reads what is new.
        """
        from mlflow.entities import ViewType

        found = self._search(ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY)
        runs = [run for stored in found if (run := stored.read()) is not None]
        if deleted:
            runs = [run for run in runs if allowed(Action.RESTORE, run.thing)]
        return sorted(viewed(runs, lambda run: run.thing), key=lambda run: run.created_at, reverse=True)

    def unfinished_runs(self) -> list[Run]:
        """The runs that wait or run (those that went silent among them), newest first. Quick in a full store, too."""
        return viewed(self._unfinished(), lambda run: run.thing)

    def _unfinished(self) -> list[Run]:
        """The same, hidden ones among them."""
        from mlflow.entities import ViewType

        found: dict[str, tag.StoredRun] = {}
        # The waiting first: one that starts between the two reads is in both, and the later read counts.
        for status in (RunStatus.QUEUED, RunStatus.RUNNING):
            for stored in self._search(ViewType.ACTIVE_ONLY, f"tags.`{tag.STATUS}` = '{status}'"):
                found[stored.run_id] = stored
        runs = [run for stored in found.values() if (run := stored.read()) is not None]
        return sorted(runs, key=lambda run: run.created_at, reverse=True)

    def stored_runs(self) -> list[tag.StoredRun]:
        """All runs that are not in the bin, as their tags have them, in no order."""
        from mlflow.entities import ViewType

        return viewed(self._search(ViewType.ACTIVE_ONLY), lambda stored: tag.thing_of(stored.tags))

    def measured_runs(self) -> list[str]:
        """The ids of the runs, those in the bin not among them, that have figures of their robustness."""
        from mlflow.entities import ViewType

        found = [
            stored
            for name in (tag.ROBUSTNESS, tag.ROBUSTNESS_0_6)
            for stored in self._search(ViewType.ACTIVE_ONLY, f"tags.`{name}` != ''")
        ]
        return list(dict.fromkeys(stored.run_id for stored in viewed(found, lambda stored: tag.thing_of(stored.tags))))

    def changed_runs(self, first: float, last: float) -> list[tag.StoredRun]:
        """The runs, those in the bin among them, that were written between two times; a few others may be there, too.

        What another program writes into the store is not found so, as it leaves no time.

        Args:
            first: Seconds since 1970, by the clock of whoever wrote.
            last: The same, for the end.
        """
        quick = self._changed_in_database(tag.stamp(first), tag.stamp(last))
        found = self._changed_by_search(first, last) if quick is None else quick
        return viewed(found, lambda stored: tag.thing_of(stored.tags))

    def _changed_by_search(self, first: float, last: float) -> list[tag.StoredRun]:
        """:meth:`changed_runs` through what every store of MLflow offers."""
        from mlflow.entities import ViewType

        found: dict[str, tag.StoredRun] = {}
        for prefix in tag.stamp_prefixes(first, last):
            for stored in self._search(ViewType.ALL, f"tags.`{tag.CHANGED}` LIKE '{prefix}%'"):
                found[stored.run_id] = stored
        return list(found.values())

    def _changed_in_database(self, first: str, last: str) -> list[tag.StoredRun] | None:
        """:meth:`changed_runs` where MLflow has a database at hand; None where it asks a tracking server.

        MLflow makes objects of everything that belongs to a run, its metrics and parameters, too, which takes some ten
        milliseconds. Every browser that watches a training waits for this one reading, so that its own models are asked
        for the tags alone.
        """
        sessions = getattr(self._client._tracking_client.store, "ManagedSessionMaker", None)
        if sessions is None:
            return None
        from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag
        from sqlalchemy import select

        changed = select(SqlTag.run_uuid).where(SqlTag.key == tag.CHANGED, SqlTag.value >= first, SqlTag.value <= last)
        rows = (
            select(SqlRun.run_uuid, SqlRun.lifecycle_stage, SqlTag.key, SqlTag.value)
            .join(SqlTag, SqlTag.run_uuid == SqlRun.run_uuid)
            .where(SqlRun.experiment_id == int(self._experiment_id), SqlRun.run_uuid.in_(changed))
        )
        tags: dict[str, dict[str, str]] = {}
        deleted: set[str] = set()
        with storage_errors("read the runs"), sessions() as session:
            for run_id, stage, key, value in session.execute(rows):
                tags.setdefault(run_id, {})[key] = value
                if stage == "deleted":
                    deleted.add(run_id)
        return [tag.StoredRun(run_id, values, run_id in deleted) for run_id, values in tags.items()]

    def _search(self, view: int, condition: str = "") -> list[tag.StoredRun]:
        runs: list[tag.StoredRun] = []
        token: str | None = None
        with storage_errors("read the runs"):
            while True:
                page = self._client.search_runs(
                    [self._experiment_id], condition, run_view_type=view, max_results=_PAGE, page_token=token
                )
                runs.extend(map(_stored, page))
                token = page.token
                if not token:
                    return runs

    def get(self, run_id: str) -> Run:
        """One run by its full id, a deleted one too.

        Raises:
            NotAllowedError: It is hidden from whoever asks.
            StorageError: What is stored of it cannot be read.
        """
        run = self._read(run_id)
        require(Action.VIEW, run.thing)
        if run.status is RunStatus.UNREADABLE:
            raise StorageError(f"{run.message} Delete it, or import it once more.")
        return run

    def _ask(self, action: Action, run_id: str) -> None:
        """Refuse what whoever acts may not do with a run."""
        if not people.current().leads:
            require(action, self._read(run_id).thing)

    def _read(self, run_id: str) -> Run:
        """One run, whoever asks."""
        from mlflow.exceptions import MlflowException

        with storage_errors("read the run"):
            try:
                found = self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise UnknownNameError(f"There is no run {run_id[:40]!r}. It may have been removed.") from None
                raise
        run = _stored(found).read()
        if run is None:
            raise RunError(f"Run {run_id} is in the store, but another program made it; AquaDash cannot read it.")
        return run

    def resolve(self, text: str, *, deleted: bool = False) -> str:
        """The id that a run id, a unique prefix of one or a run's unique name stands for.

        With ``deleted`` the runs in the bin are meant, otherwise the others.

        Raises:
            UnknownNameError: No run fits.
            RunError: More than one does.
        """
        if re.fullmatch(r"[0-9a-f]{32}", text):
            # Without reading all others.
            with contextlib.suppress(UnknownNameError):
                if self._read(text).deleted is deleted:
                    return text
        runs = self.list_runs(deleted=deleted)
        exact = [run for run in runs if run.run_id == text]
        named = exact or [run for run in runs if run.name == text]
        found = named or [run for run in runs if text and run.run_id.startswith(text)]
        if not found:
            raise UnknownNameError.of("run", text, [run.name for run in runs])
        if len(found) > 1:
            ids = ", ".join(f"{run.run_id[:8]} ({run.name})" for run in found[:6])
            raise RunError(f"{text[:80]!r} fits {len(found)} runs: {ids}. Give more of the id.")
        return found[0].run_id

    def history(self, run_id: str) -> list[EpochRecord]:
        """The run's complete epochs in order; one that was trained twice, before and after a resume, counts once."""
        self._ask(Action.VIEW, run_id)
        columns: dict[str, dict[int, float]] = {}
        with storage_errors("read the history of the run"):
            for name in EPOCH_METRICS:
                points = sorted(self._client.get_metric_history(run_id, name), key=lambda point: point.timestamp)
                columns[name] = {point.step: point.value for point in points}
        epochs = sorted(set.intersection(*(set(column) for column in columns.values())))
        return [EpochRecord(epoch, **{name: columns[name][epoch] for name in EPOCH_METRICS}) for epoch in epochs]

    def queue_position(self, run_id: str) -> int | None:
        """1 for the run that starts next, and so on; None for one that is not queued."""
        queued = [run for run in self._unfinished() if run.status is RunStatus.QUEUED]
        ids = [run.run_id for run in sorted(queued, key=lambda run: run.queued_at)]
        return ids.index(run_id) + 1 if run_id in ids else None

    def queued_by(self, run_id: str) -> Worker | None:
        """The process whose engine holds the queued run."""
        with storage_errors("read the run"):
            return tag.read_worker(self._client.get_run(run_id).data.tags.get(tag.QUEUED_BY))


def _stored(found: MlflowRun) -> tag.StoredRun:
    return tag.StoredRun(found.info.run_id, dict(found.data.tags), found.info.lifecycle_stage == "deleted")
