"""Is a cluster set up rightly? What a machine's worker looks at before it starts, and what the whole looks like."""

from __future__ import annotations

import asyncio
import email.utils
import os
import platform
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from aquadash import __version__, settings
from aquadash.engine.connecting import connect_to
from aquadash.errors import AquaDashError
from aquadash.runs import open_store

#: Signs of life are times: clocks that are further apart make living workers look silent to the pages.
MOST_SKEW_SECONDS = 5.0

_LOCAL_SCHEMES = ("file:", "/", ".")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: In a word or two.
        problem: What is wrong and how to mend it; empty if nothing is.
        note: What was found.
    """

    what: str
    problem: str = ""
    note: str = ""


def check_machine(scheduler: str) -> list[Check]:
    """Whether this machine can be a worker of that scheduler's cluster."""
    return [_check_store(), _check_clock(), _check_scheduler(scheduler)]


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


def _check_clock() -> Check:
    """Compare this machine's clock with the tracking server's."""
    what, uri = "clock", settings.tracking_uri()
    if not settings.store_is_tracking_server():
        return Check(what, note="not compared")
    before = time.time()
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=10) as answer:
            date = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        date = error.headers.get("Date")
    except (OSError, ValueError):
        return Check(what, note="not compared, as the run store does not answer")
    if not date:
        return Check(what, note="not compared, as the run store does not say its time")
    # The header has whole seconds.
    skew = (before + time.time()) / 2 - email.utils.parsedate_to_datetime(date).timestamp() - 0.5
    if abs(skew) > MOST_SKEW_SECONDS:
        side = "ahead of" if skew > 0 else "behind"
        return Check(
            what,
            f"This machine's clock is {abs(skew):.0f} s {side} the tracking server's, so that its runs would look "
            "dead. Let both set their clocks over the network (systemd-timesyncd or chrony).",
        )
    return Check(what, note=f"within {max(1.0, abs(skew)):.0f} s of the tracking server's")


def _check_scheduler(address: str) -> Check:
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
    values: dict[str, Any] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "aquadash": __version__,
        "python": platform.python_version(),
        "home": str(settings.home()),
        "gpu": ",".join(settings.visible_gpus() or ()),
        "store": "",
        "error": "",
    }
    try:
        values["store"] = open_store().identity()
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
        f"{name} cannot import AquaDash ({said}). Start it in the project's folder with `python -m aquadash cluster "
        "worker`."
    )


def status(scheduler: str, *, named_by: str) -> dict[str, Any]:
    """The cluster as it is: ``scheduler``, ``store``, ``workers``, ``slots``, ``runs`` and ``problems``.

    Raises:
        AquaDashError: The scheduler or the run store does not answer.
    """
    store = open_store()
    client = connect_to(scheduler, named_by)
    try:
        known = client.scheduler_info(n_workers=-1)["workers"]
        told = client.run(about_worker, on_error="return", workers=list(known))
        busy = {address: len(keys) for address, keys in client.processing().items()}
    finally:
        client.close(timeout=2)
    workers, problems = [], []
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
        workers.append({**values, **said, "store": said["store"] == store.identity()})
        if said["aquadash"] != __version__:
            problems.append(f"{info['name']} has AquaDash {said['aquadash']}; this is {__version__}.")
        if said["error"]:
            problems.append(f"{info['name']}: {said['error']}")
        elif said["store"] != store.identity():
            problems.append(f"{info['name']} uses another run store. Give it this MLFLOW_TRACKING_URI.")
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
        "slots": sum(worker["slots"] for worker in workers),
        "workers": workers,
        "runs": runs,
        "problems": problems,
    }
