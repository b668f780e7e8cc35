"""Runs as versions up to 0.7 stored them: tags and metric points of MLflow. The upgrade and old ZIP files need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from itertools import count
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from aquadash import config as run_config
from aquadash.config import RunConfig
from aquadash.errors import AquaDashError
from aquadash.store.types import EpochRecord, Guess, Run, RunStatus, clean_name, reason

#: Tags that hold a text or a number, and tags that hold JSON, each with the field of the run.
_TEXTS = {
    "aquadash.created_at": "created_at",
    "aquadash.queued_at": "queued_at",
    "aquadash.started_at": "started_at",
    "aquadash.ended_at": "ended_at",
    "aquadash.data_sent": "dataset_fingerprint",  # Version 0.6.0, of pictures that it had sent to a cluster.
    "aquadash.dataset_fingerprint": "dataset_fingerprint",
    "aquadash.message": "message",
    "aquadash.log_tail": "log_tail",
    "aquadash.search_id": "search_id",
    "aquadash.origin": "origin",
    "aquadash.imported_id": "imported_id",
    "aquadash.repeats": "repeats",
    "aquadash.test_images": "test_images",
    "mlflow.note.content": "note",
}
_JSON = {
    "aquadash.progress": "progress",
    "aquadash.worker": "worker",
    "aquadash.class_names": "class_names",
    "aquadash.metrics": "metrics",
    "aquadash.curve": "curve",
}
#: Prefix of one tag for each label that a person gave.
_LABEL = "aquadash.label."

_RUN = TypeAdapter(Run)
_GUESS = TypeAdapter(Guess)


def epochs_of(points: Mapping[str, Iterable[tuple[int, int, float]]]) -> list[EpochRecord]:
    """Return the complete epochs of a run; an epoch that was trained twice counts once."""
    names = [field.name for field in fields(EpochRecord) if field.name != "epoch"]
    columns = {
        name: {epoch: value for epoch, _, value in sorted(points.get(name, ()), key=lambda point: point[1])}
        for name in names
    }
    complete = sorted(set.intersection(*(set(column) for column in columns.values())))
    return [EpochRecord(epoch, **{name: columns[name][epoch] for name in names}) for epoch in complete]


def run_of(run_id: str, tags: Mapping[str, str], *, deleted: bool = False) -> Run | None:
    """Return the run that tags describe."""
    if "aquadash.status" not in tags:
        return None
    readable: dict[str, Any] = {
        "run_id": run_id,
        "name": clean_name(tags.get("mlflow.runName")) or run_id[:8],
        "deleted": deleted,
        "owner": tags.get("aquadash.owner", ""),
        "owner_name": tags.get("aquadash.owner_name", ""),
        "shared": tags.get("aquadash.shared") != "0",
        "hidden": tags.get("aquadash.hidden") == "1",
    }
    pins = tags.get("aquadash.pinned", "").split()
    measured = tags.get("aquadash.robustness") or tags.get("aquadash.job.robustness.status")
    try:
        run = _RUN.validate_python(
            {
                **readable,
                "status": tags["aquadash.status"],
                "config": _config(tags),
                "tags": sorted(
                    tag.removeprefix(_LABEL) for tag, text in tags.items() if tag.startswith(_LABEL) and text
                ),
                "pinned": "1" in pins,
                "pinned_by_owner": "owner" in pins,
                "archived": tags.get("aquadash.archived") == "1",
                "has_robustness": bool(measured),
                "guess": _guess(tags.get("aquadash.guess")),
                **{field: tags[tag] for tag, field in _TEXTS.items() if tags.get(tag)},
                **{field: _json(field, tags[tag]) for tag, field in _JSON.items() if tags.get(tag)},
            }
        )
        if run.status is RunStatus.UNREADABLE:
            raise ValueError(f"status: {run.status}")
        return run
    except (KeyError, ValueError, AquaDashError) as error:
        message = f"What is stored of this run cannot be read ({reason(error)})."
        return Run(**readable, status=RunStatus.UNREADABLE, config=RunConfig(), created_at=0.0, message=message)


def _config(tags: Mapping[str, str]) -> RunConfig:
    """Return the settings; the pipelines that they carry were cut into numbered parts."""
    config, definitions = run_config.from_json(tags["aquadash.config"]), ""
    for number in count():
        if (part := tags.get(f"aquadash.config.definitions.{number}")) is None:
            return run_config.with_values(config, {run_config.DEFINITIONS: definitions}) if definitions else config
        definitions += part
    raise AssertionError


def _json(field: str, text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


def _guess(text: str | None) -> Guess | None:
    """Return the guess; None also for one that cannot be read, which must not hide the run."""
    try:
        return _GUESS.validate_json(text) if text else None
    except (ValueError, AquaDashError):
        return None
