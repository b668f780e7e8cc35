"""A run as commands print it."""

from __future__ import annotations

from typing import Any

from aquadash.runs import Run
from aquadash.runs.fields import metrics_of


def brief(run: Run) -> dict[str, Any]:
    """A run without its history and settings, as plain values."""
    return {
        "run_id": run.run_id,
        "name": run.name,
        "status": str(run.status),
        "source": run.config.data.source,
        "pipeline": run.config.augmentation.pipeline,
        "model": run.config.model.name,
        "seed": run.config.seed,
        "search_id": run.search_id,
        "created_at": run.created_at,
        "ended_at": run.ended_at,
        "metrics": metrics_of(run),
        "message": run.message,
        "note": run.note,
        "tags": list(run.tags),
        "pinned": run.pinned,
        "archived": run.archived,
        "deleted": run.deleted,
    }
