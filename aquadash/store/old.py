"""Runs as versions up to 0.7 stored them: tags and metric points of MLflow. The upgrade and old ZIP files need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from aquadash import config as run_config
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.store.types import EpochRecord, Guess, Run, RunStatus, clean_name, reason

STATUS = "aquadash.status"
CONFIG = "aquadash.config"
#: The saved pipelines that a config carries, in numbered parts, for a tag holds no more than 8,000 characters.
DEFINITIONS = "aquadash.config.definitions."
CREATED = "aquadash.created_at"
QUEUED = "aquadash.queued_at"
STARTED = "aquadash.started_at"
ENDED = "aquadash.ended_at"
#: Written by version 0.6.0, as :data:`LOG_TAIL`; now the jobs have both.
PROGRESS = "aquadash.progress"
CLASS_NAMES = "aquadash.class_names"
FINGERPRINT = "aquadash.dataset_fingerprint"
METRICS = "aquadash.metrics"
CURVE = "aquadash.curve"
WORKER = "aquadash.worker"
#: Where version 0.6.0 kept the fingerprint of own pictures that were sent to a cluster, until they were loaded there.
FINGERPRINT_0_6 = "aquadash.data_sent"
GUESS = "aquadash.guess"
MESSAGE = "aquadash.message"
LOG_TAIL = "aquadash.log_tail"
SEARCH = "aquadash.search_id"
ORIGIN = "aquadash.origin"
#: The id that a run from another store had where it was trained.
IMPORTED_ID = "aquadash.imported_id"
REPEATS = "aquadash.repeats"
#: For whom a run stands first, with a space between where it is both.
PINNED = "aquadash.pinned"
PINNED_FOR_ALL, PINNED_BY_OWNER = "1", "owner"
ARCHIVED = "aquadash.archived"
TEST_IMAGES = "aquadash.test_images"
#: "1" on a run that has figures of its robustness, and what says so of those that version 0.6.0 has measured.
ROBUSTNESS = "aquadash.robustness"
ROBUSTNESS_0_6 = "aquadash.job.robustness.status"
#: What begins the name of a tag that holds a label given by a person: one MLflow tag a label, so that two people can
#: label a run at the same time.
LABEL = "aquadash.label."
#: The id of whoever asked for the run, and what they were called then.
OWNER = "aquadash.owner"
OWNER_NAME = "aquadash.owner_name"
#: "0" on the runs of students. All others are there for the whole class.
SHARED = "aquadash.shared"
HIDDEN = "aquadash.hidden"
#: MLflow shows this one as a run's description in its own pages.
NOTE = "mlflow.note.content"
#: What MLflow's own pages show as the program that made a run.
SOURCE = "mlflow.source.name"
#: MLflow's own name of a run.
NAME = "mlflow.runName"

#: The fields of a run that are a text or a number, and those that are JSON, by the tags that hold them.
_TEXTS = {
    "created_at": CREATED, "queued_at": QUEUED, "started_at": STARTED, "ended_at": ENDED, "note": NOTE,
    "dataset_fingerprint": FINGERPRINT, "message": MESSAGE, "log_tail": LOG_TAIL, "search_id": SEARCH, "origin": ORIGIN,
    "imported_id": IMPORTED_ID, "repeats": REPEATS, "test_images": TEST_IMAGES,
}  # fmt: skip
_JSON = {
    "progress": PROGRESS, "worker": WORKER, "class_names": CLASS_NAMES, "metrics": METRICS, "curve": CURVE,
}  # fmt: skip


def _config(tags: Mapping[str, str]) -> RunConfig:
    """Return the settings; pipelines that they carry are cut into numbered parts."""
    parts: list[str] = []
    while (part := tags.get(f"{DEFINITIONS}{len(parts)}")) is not None:
        parts.append(part)
    return _config_of(tags[CONFIG], "".join(parts))


def _config_of(text: str, definitions: str) -> RunConfig:
    config = run_config.from_json(text)
    return run_config.with_values(config, {run_config.DEFINITIONS: definitions}) if definitions else config


_RUN = TypeAdapter(Run)
_GUESS = TypeAdapter(Guess)


def epochs_of(points: Mapping[str, Iterable[tuple[int, int, float]]]) -> list[EpochRecord]:
    """Return the complete epochs of a run; an epoch that was trained twice counts once.

    Args:
        points: For each metric the epochs, the times at which they were logged, and the values.
    """
    names = [field.name for field in fields(EpochRecord) if field.name != "epoch"]
    columns = {
        name: {epoch: value for epoch, _, value in sorted(points.get(name, ()), key=lambda point: point[1])}
        for name in names
    }
    complete = sorted(set.intersection(*(set(column) for column in columns.values())))
    return [EpochRecord(epoch, **{name: columns[name][epoch] for name in names}) for epoch in complete]


def run_of(run_id: str, tags: Mapping[str, str], *, deleted: bool = False) -> Run | None:
    """Return the run that tags describe.

    Returns:
        None for a run of another program. A run whose tags are damaged has the status ``unreadable``, and a message
        that says what is wrong.
    """
    if STATUS not in tags:
        return None
    known: dict[str, Any] = {
        "run_id": run_id,
        "name": clean_name(tags.get(NAME)) or run_id[:8],
        "deleted": deleted,
        "owner": tags.get(OWNER, ""),
        "owner_name": tags.get(OWNER_NAME, ""),
        "shared": tags.get(SHARED) != "0",
        "hidden": tags.get(HIDDEN) == "1",
    }
    try:
        run = _RUN.validate_python(
            {
                **known,
                "status": tags[STATUS],
                "config": _config(tags),
                "tags": sorted(
                    name.removeprefix(LABEL) for name, text in tags.items() if name.startswith(LABEL) and text
                ),
                "pinned": PINNED_FOR_ALL in tags.get(PINNED, "").split(),
                "pinned_by_owner": PINNED_BY_OWNER in tags.get(PINNED, "").split(),
                "archived": tags.get(ARCHIVED) == "1",
                "has_robustness": bool(tags.get(ROBUSTNESS) or tags.get(ROBUSTNESS_0_6)),
                "guess": _guess(tags.get(GUESS)),
                # A tag that was emptied is as good as none.
                "dataset_fingerprint": tags.get(FINGERPRINT_0_6, ""),
                **{name: tags[key] for name, key in _TEXTS.items() if tags.get(key)},
                **{name: _json(name, tags[key]) for name, key in _JSON.items() if tags.get(key)},
            }
        )
        if run.status is RunStatus.UNREADABLE:
            raise ValueError(f"status: {run.status}")
        return run
    except (KeyError, ValueError, AquaDashError) as error:
        message = f"What is stored of this run cannot be read ({reason(error)})."
        return Run(**known, status=RunStatus.UNREADABLE, config=RunConfig(), created_at=0.0, message=message)


def _json(name: str, text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _guess(text: str | None) -> Guess | None:
    """None, too, for a guess that cannot be read: it is no reason to lose sight of the run."""
    try:
        return _GUESS.validate_json(text) if text else None
    except (ValueError, AquaDashError):
        return None
