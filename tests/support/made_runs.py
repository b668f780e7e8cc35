"""Runs for tests: records that are in no store, and rows that are written straight into one."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

from aquadash.config import RunConfig, with_values
from aquadash.people import OWNER, Person
from aquadash.store import Job, Run, RunStatus, RunStore, Worker
from aquadash.store.artifacts import CONFIG
from aquadash.store.runs import KIND, new_run


def made_run(name: str = "one", settings: dict[str, Any] | None = None, **values: Any) -> Run:
    """Return a finished run with these settings, by dotted name, and these attributes."""
    defaults: dict[str, Any] = {"status": RunStatus.FINISHED, "created_at": 1_750_000_000.0, **values}
    defaults.setdefault("run_id", f"{abs(hash(name)) % 16**8:08x}".ljust(32, "0"))
    return Run(name=name, config=with_values(RunConfig(), settings or {}), **defaults)


def create(
    store: RunStore, config: RunConfig | None = None, *, name: str | None = None, owner: Person = OWNER, **values: Any
) -> Run:
    """Store a run without a job. It waits, unless ``values`` say something else."""
    config = config or RunConfig()
    run = replace(new_run(config, name=name, owner=owner), **values)
    store.add_text_artifact(run.run_id, CONFIG, config.to_json())
    return store.add(run)


def queue(store: RunStore, run_id: str, *, needs: str = "") -> Job:
    """Give a stored run a place in the queue."""
    return store.jobs.submit(KIND, run_id, {}, owner=store.get(run_id).owner, needs=needs)


def start(store: RunStore, run_id: str, worker: Worker) -> None:
    """Write that a worker trains a run, without a job."""
    store.update(run_id, status=RunStatus.RUNNING, started_at=time.time(), worker=asdict(worker))


def set_status(store: RunStore, run_id: str, status: RunStatus, *, message: str = "") -> None:
    """Write the status of a run that has no job, with the time of its end if it has ended."""
    store.update(run_id, status=status, message=message, ended_at=time.time() if status.ended else None)
