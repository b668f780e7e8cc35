"""Runs that are in no store: for tests of what is done with records of runs."""

from __future__ import annotations

from typing import Any

from aquadash.config import RunConfig, with_values
from aquadash.store import Run, RunStatus


def made_run(name: str = "one", settings: dict[str, Any] | None = None, **values: Any) -> Run:
    """A finished run with these settings, by dotted name, and these attributes."""
    given: dict[str, Any] = {"status": RunStatus.FINISHED, "created_at": 1_750_000_000.0, **values}
    given.setdefault("run_id", f"{abs(hash(name)) % 16**8:08x}".ljust(32, "0"))
    return Run(name=name, config=with_values(RunConfig(), settings or {}), **given)
