"""Runs as versions up to 0.7 stored them: tags and metric points of MLflow. The upgrade and old ZIP files need them."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import from_json

from aquadash import config as run_config
from aquadash.config import RunConfig
from aquadash.store.runs import EPOCH_METRICS
from aquadash.store.types import EpochRecord, Run, clean_name, read_run

#: Fields of a run whose tag ``aquadash.NAME`` holds a text or a number, and those whose tag holds JSON.
_TEXTS = (
    "status created_at queued_at started_at ended_at message log_tail owner owner_name search_id origin imported_id "
    "repeats test_images"
).split()
_JSON = ("progress", "worker", "class_names", "metrics", "curve", "guess")


def epochs_of(points: Mapping[str, Iterable[tuple[int, float, int]]]) -> list[EpochRecord]:
    """Return the complete epochs from (epoch, value, time) points; of an epoch trained twice, the later points."""
    columns = [
        {epoch: value for epoch, value, _ in sorted(points.get(name, ()), key=lambda point: point[2])}
        for name in EPOCH_METRICS
    ]
    complete = sorted(set.intersection(*map(set, columns)))
    return [EpochRecord(epoch, *(column[epoch] for column in columns)) for epoch in complete]


def run_of(run_id: str, tags: Mapping[str, str], *, deleted: bool = False) -> Run | None:
    """Return the run that tags describe; None for another program's. Raise ``AquaDashError`` for impossible values."""
    own = {tag.removeprefix("aquadash."): text for tag, text in tags.items() if tag.startswith("aquadash.") and text}
    if "status" not in own:
        return None
    pins = own.get("pinned", "").split()
    return read_run(
        {
            **{name: own[name] for name in _TEXTS if name in own},
            **{name: _value(own[name]) for name in _JSON if name in own},
            "run_id": run_id,
            "name": clean_name(tags.get("mlflow.runName")) or run_id[:8],
            "config": _config(own),
            # Version 0.6.0 wrote the second tag for pictures that it had sent to a cluster.
            "dataset_fingerprint": own.get("dataset_fingerprint") or own.get("data_sent", ""),
            "note": tags.get("mlflow.note.content", ""),
            "tags": sorted(name.removeprefix("label.") for name in own if name.startswith("label.")),
            "pinned": "1" in pins,
            "pinned_by_owner": "owner" in pins,
            "archived": own.get("archived") == "1",
            "hidden": own.get("hidden") == "1",
            "shared": own.get("shared") != "0",
            "has_robustness": "robustness" in own or "job.robustness.status" in own,
            "deleted": deleted,
        }
    )


def _value(text: str) -> Any:
    """Return the value of a JSON text, or a damaged text as it is, which no field of a run accepts."""
    try:
        return from_json(text)
    except ValueError:
        return text


def _config(own: Mapping[str, str]) -> RunConfig:
    """Return the settings; the pipelines that they carry were cut into numbered parts."""
    parts: list[str] = []
    while part := own.get(f"config.definitions.{len(parts)}"):
        parts.append(part)
    config = run_config.from_json(own.get("config", ""))
    return run_config.with_values(config, {run_config.DEFINITIONS: "".join(parts)}) if parts else config
