"""Is a cluster set up rightly? What a machine's worker looks at before it starts, and what the whole looks like."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
from dataclasses import dataclass
from typing import Any

from aquadash import __version__, settings
from aquadash.cluster.connecting import connect_to
from aquadash.errors import AquaDashError
from aquadash.store import open_jobs, open_store


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    #: In a word or two.
    what: str
    #: What is wrong and how to mend it; empty if nothing is.
    problem: str = ""
    note: str = ""


def check_machine(scheduler: str) -> list[Check]:
    """Whether this machine can be a worker of that scheduler's cluster."""
    return [_check_store(), _check_jobs(), _check_scheduler(scheduler)]


def _check_store() -> Check:
    what, uri = "run store", settings.tracking_uri()
    shown = settings.shown_address(uri)
    if not settings.store_is_shared():
        return Check(
            what,
            f"The run store is {shown}, a file that no other machine may write to. Make a PostgreSQL database "
            "(docs/cluster.md) and set MLFLOW_TRACKING_URI=postgresql://its-address here and for the app.",
        )
    try:
        location = open_store().artifact_location()
    except AquaDashError as error:
        return Check(what, str(error))
    if location.startswith("file:") and location != settings.artifacts().as_uri():
        return Check(
            what,
            f"The run store {shown} belongs to {location.removesuffix('/artifacts')}, and AQUADASH_HOME is "
            f"{settings.home()} here. Mount the app's AQUADASH_HOME under the same path on every machine.",
        )
    return Check(what, note=shown)


def _check_jobs() -> Check:
    """Whether the table of jobs is one that other machines reach, too."""
    what = "jobs"
    if not settings.jobs_database_is_named():
        return Check(
            what,
            "AQUADASH_DATABASE is not set, so that runs would wait in a file that no other machine may write to. Make "
            "a PostgreSQL database (docs/cluster.md) and set AQUADASH_DATABASE=postgresql://its-address on every "
            "worker and for the app.",
        )
    shown = settings.shown_address(settings.jobs_database())
    try:
        open_jobs().identity()
    except AquaDashError as error:
        return Check(what, str(error))
    only_here = ", a file, so that all workers and the app must be on this machine" * shown.startswith("sqlite:")
    return Check(what, note=f"{shown}{only_here}")


def _check_scheduler(address: str) -> Check:
    """Whether the scheduler answers and is of these versions."""
    what = "scheduler"
    try:
        client = connect_to(address, "--scheduler")
    except AquaDashError as error:
        return Check(what, str(error))
    try:
        versions = client.get_versions()
        differ = _differences(versions["client"], versions["scheduler"])
    finally:
        client.close(timeout=2)
    if differ:
        return Check(
            what,
            f"The scheduler has other versions than this machine: {differ}. Install the same requirements.txt with the "
            "same Python everywhere.",
        )
    return Check(what, note=address)


def _differences(here: dict[str, Any], there: dict[str, Any]) -> str:
    """What differs that must not, in words; empty if nothing does."""
    found = []
    mine, other = here["packages"], there["packages"]
    for name in ("python", "distributed", "msgpack"):
        # Of Python the last number may differ.
        cut = 2 if name == "python" else 3
        one, two = (".".join(str(packages.get(name)).split(".")[:cut]) for packages in (mine, other))
        if one != two:
            found.append(f"{name} {two} there, {one} here")
    return "; ".join(found)


async def about_worker() -> dict[str, Any]:
    """What a worker says of itself; Dask calls this in each worker's process."""
    # Opening the store takes seconds the first time, in which the worker must go on giving signs of life.
    return await asyncio.to_thread(_about_this_worker)


def _about_this_worker() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "aquadash": __version__,
        "python": platform.python_version(),
        "home": str(settings.home()),
        "gpu": ",".join(settings.visible_gpus() or ()),
        "error": " ".join(check.problem for check in (_check_store(), _check_jobs()) if check.problem),
    }


def _why_silent(name: str, address: str, error: object) -> str:
    """Why a worker says nothing of itself, in words."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, OSError) or error is None:
        return (
            f"{name} does not answer ({said}). If that stays so, let the scheduler's machine reach it at {address}; "
            "`cluster worker --port` gives it a port that a firewall can let through."
        )
    return (
        f"{name} cannot import AquaDash ({said}). Start it in the project's folder with `.venv/bin/python -m aquadash "
        "cluster worker`."
    )


def status(scheduler: str, *, named_by: str) -> dict[str, Any]:
    """The cluster as it is: ``scheduler``, ``store``, ``database``, ``workers``, ``slots``, ``runs`` and ``problems``.

    Raises:
        AquaDashError: The scheduler or the run store does not answer.
    """
    store, home = open_store(), str(settings.home())
    client = connect_to(scheduler, named_by)
    try:
        known = client.scheduler_info(n_workers=-1)["workers"]
        told = client.run(about_worker, on_error="return", workers=list(known))
        busy = {address: len(keys) for address, keys in client.processing().items()}
    finally:
        client.close(timeout=2)
    workers: list[dict[str, Any]] = []
    problems = [check.problem for check in (_check_store(), _check_jobs()) if check.problem]
    for address, info in known.items():
        said = told.get(address)
        values = {
            "name": str(info["name"]),
            "address": address,
            "slots": info["nthreads"],
            "busy": busy.get(address, 0),
        }
        if not isinstance(said, dict):
            problems.append(_why_silent(str(info["name"]), address, said))
            workers.append(values)
            continue
        workers.append({**values, **said})
        if said["aquadash"] != __version__:
            problems.append(f"{info['name']} has AquaDash {said['aquadash']}; this is {__version__}.")
        if said["home"] != home:
            problems.append(
                f"{info['name']} has the AQUADASH_HOME {said['home']}; here it is {home}. Mount the same folder under "
                "the same path on every machine."
            )
        if said["error"]:
            problems.append(f"{info['name']}: {said['error']}")
    if not workers:
        problems.append("No worker is connected: runs wait until one is.")
    runs = [
        {
            "run_id": run.run_id,
            "name": run.name,
            "status": str(run.status),
            "host": run.worker.host if run.worker else "",
            "message": run.message,
        }
        for run in store.unfinished_runs()
    ]
    return {
        "scheduler": scheduler,
        "store": settings.shown_address(settings.tracking_uri()),
        "database": settings.shown_address(settings.jobs_database()),
        "slots": sum(worker["slots"] for worker in workers),
        "workers": workers,
        "runs": runs,
        "problems": problems,
    }
