"""Is a cluster set up rightly? What a machine's worker looks at before it starts, and what the whole looks like."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
from dataclasses import dataclass
from typing import Any

from aquadash import __version__, settings
from aquadash.engine.connecting import JOBS_DATABASE, connect_to
from aquadash.errors import AquaDashError
from aquadash.jobs import open_jobs
from aquadash.runs import open_store

_LOCAL_SCHEMES = ("file:", "/", ".")


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
    scheduler_check, database = _check_scheduler(scheduler)
    return [_check_store(), _check_jobs(database), scheduler_check]


def _check_store() -> Check:
    what, uri = "run store", settings.tracking_uri()
    shown = settings.shown_address(uri)
    if not settings.store_is_tracking_server():
        return Check(
            what,
            f"The run store is {shown}, which workers on other machines cannot share: files of runs go through a "
            "tracking server. Start one (docs/cluster.md) and set MLFLOW_TRACKING_URI=http://its-address here and for "
            "the app.",
        )
    try:
        location = open_store().artifact_location()
    except AquaDashError as error:
        return Check(what, str(error))
    if location.startswith(_LOCAL_SCHEMES):
        return Check(
            what,
            f"The tracking server keeps files of runs in {location}, a folder of one machine. Start it with "
            "--artifacts-destination and --serve-artifacts and a new database: docs/cluster.md has the command.",
        )
    return Check(what, note=shown)


def _check_jobs(apps: str) -> Check:
    """Whether the table of jobs is one that others reach, and that of the app.

    Args:
        apps: The identity of the app's; empty while unknown.
    """
    what = "jobs"
    if not settings.jobs_database_is_named():
        return Check(
            what,
            f"AQUADASH_DATABASE is not set, so that runs would be looked for in {settings.home()} alone. Make a "
            "PostgreSQL database (docs/cluster.md) and set AQUADASH_DATABASE=postgresql://its-address on every worker "
            "and for the app.",
        )
    shown = settings.shown_address(settings.jobs_database())
    try:
        identity = open_jobs().identity()
    except AquaDashError as error:
        return Check(what, str(error))
    if apps and apps != identity:
        return Check(what, f"AQUADASH_DATABASE is {shown} here, which is not the app's. Give both the same.")
    only_here = ", a file, so that all workers and the app must be on this machine" * shown.startswith("sqlite:")
    unknown = "" if apps else "; no app has been at this scheduler yet, with which it could be compared"
    return Check(what, note=f"{shown}{only_here}{unknown}")


def _check_scheduler(address: str) -> tuple[Check, str]:
    """Whether the scheduler answers and is of these versions, and what it knows of the app's table of jobs."""
    what = "scheduler"
    try:
        client = connect_to(address, "--scheduler")
    except AquaDashError as error:
        return Check(what, str(error)), ""
    try:
        versions = client.get_versions()
        differ = _differences(versions["client"], versions["scheduler"])
        database = str(client.get_metadata(JOBS_DATABASE, default=""))
    finally:
        client.close(timeout=2)
    if differ:
        problem = (
            f"The scheduler has other versions than this machine: {differ}. Install the same requirements.txt with the "
            "same Python everywhere."
        )
        return Check(what, problem), database
    return Check(what, note=address), database


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
    values: dict[str, Any] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "aquadash": __version__,
        "python": platform.python_version(),
        "home": str(settings.home()),
        "gpu": ",".join(settings.visible_gpus() or ()),
        "store": "",
        "jobs": "",
        "error": "",
    }
    try:
        values["store"] = open_store().identity()
        if settings.jobs_database_is_named():
            values["jobs"] = open_jobs().identity()
    except AquaDashError as error:
        values["error"] = str(error)
    return values


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
    store, jobs = open_store(), open_jobs()
    client = connect_to(scheduler, named_by)
    try:
        apps = client.get_metadata(JOBS_DATABASE, default="")
        known = client.scheduler_info(n_workers=-1)["workers"]
        told = client.run(about_worker, on_error="return", workers=list(known))
        busy = {address: len(keys) for address, keys in client.processing().items()}
    finally:
        client.close(timeout=2)
    workers: list[dict[str, Any]] = []
    problems = [problem] if (problem := _check_jobs(apps).problem) else []
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
        same_jobs = said["jobs"] == jobs.identity()
        workers.append({**values, **said, "store": said["store"] == store.identity(), "jobs": same_jobs})
        if said["aquadash"] != __version__:
            problems.append(f"{info['name']} has AquaDash {said['aquadash']}; this is {__version__}.")
        if said["error"]:
            problems.append(f"{info['name']}: {said['error']}")
        elif said["store"] != store.identity():
            problems.append(f"{info['name']} uses another run store. Give it this MLFLOW_TRACKING_URI.")
        elif not said["jobs"]:
            problems.append(f"{info['name']} finds no run, as AQUADASH_DATABASE is not set there. Give it the app's.")
        elif not same_jobs:
            problems.append(f"{info['name']} looks for runs in another database. Give it this AQUADASH_DATABASE.")
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
