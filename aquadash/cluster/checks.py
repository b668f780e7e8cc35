"""Checks of a cluster: whether a machine is set up as a worker must be, how the cluster is, and why runs wait."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aquadash import __version__, settings
from aquadash.cluster import DASK_MISSING
from aquadash.errors import AquaDashError, RunError
from aquadash.files import write_whole
from aquadash.store import Run, RunStatus, open_store
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND

if TYPE_CHECKING:
    from distributed import Client, Worker

#: The name of the plugin with which a worker takes runs.
PLUGIN = "aquadash"

#: Seconds that the scheduler has to answer, and seconds between two looks of an app at the cluster.
CONNECT_SECONDS, LOOK_SECONDS = 5.0, 5.0

_log = logging.getLogger("aquadash.cluster")
_looking = threading.Lock()


@dataclass(frozen=True)
class AppState:
    """The note of an app with a scheduler in the home, for workers and other processes."""

    #: The version of AquaDash.
    version: str
    #: Slots of the cluster.
    slots: int


def _state_file() -> Path:
    return settings.home() / "cluster.json"


def read_app_state() -> AppState | None:
    """Return what the last app with a scheduler has kept in this home; None before the first one."""
    try:
        return AppState(**json.loads(_state_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_app_state(state: AppState) -> None:
    """Keep the state in the home."""
    with contextlib.suppress(OSError):
        write_whole(_state_file(), json.dumps(asdict(state)))


@contextlib.contextmanager
def connected(address: str) -> Iterator[Client]:
    """Connect to a scheduler for the block.

    Raises:
        RunError: It does not answer, breaks off, or wants a certificate.
    """
    try:
        from distributed import Client
        from distributed.security import Security
    except ModuleNotFoundError:
        raise RunError(DASK_MISSING) from None
    # Dask logs a traceback of each lost connection and each refusal. This wing says them in a line.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if address.startswith("tls://") and Security().get_connection_args("client").get("ssl_context") is None:
        raise RunError(f"The scheduler {address} wants a certificate, and none is set here (docs/cluster.md).")
    try:
        with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
            yield client
    except (OSError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RunError(
            f"The scheduler {address} does not answer ({reason}). Start it with `.venv/bin/python -m aquadash cluster "
            "scheduler`, or correct AQUADASH_SCHEDULER (tcp://host:8786)."
        ) from None


def database_problem() -> str:
    """Return why the database or the home of this machine cannot serve a cluster, or an empty text."""
    shown = settings.shown_address(settings.database())
    if shown.startswith("sqlite"):
        return (
            f"The database is {shown}, a file whose locks do not hold on a network folder. Set AQUADASH_DATABASE to "
            "the PostgreSQL database of the cluster (docs/cluster.md), here and on every machine."
        )
    try:
        open_store().database.identity()
    except AquaDashError as error:
        return str(error)
    return ""


def worker_problem() -> str:
    """Return why this machine's worker can take no runs, or an empty text."""
    return database_problem() or _check_version().problem


class Check(NamedTuple):
    """One check."""

    what: str
    #: The defect and its remedy; empty if there is none.
    problem: str
    note: str = ""


def check_machine(scheduler: str) -> list[Check]:
    """Check whether this machine can have a worker in the cluster."""
    database = Check("database", database_problem(), settings.shown_address(settings.database()))
    home = Check("home", "", f"{settings.home()}, as the database has it")
    # Only the cluster's own home has the version of its app.
    own = [] if database.problem else [home, _check_version()]
    return [database, *own, _check_scheduler(scheduler)]


def _check_version() -> Check:
    state = read_app_state()
    if state is None:
        return Check("AquaDash", "", f"{__version__}; no app has used this home with a scheduler yet, to compare with")
    if state.version == __version__:
        return Check("AquaDash", "", f"{__version__}, as the app")
    versions = f"This machine has AquaDash {__version__}, and the app has {state.version}."
    return Check("AquaDash", f"{versions} Install the same version on every machine.")


def _check_scheduler(address: str) -> Check:
    try:
        with connected(address):
            return Check("scheduler", "", address)
    except AquaDashError as error:
        return Check("scheduler", str(error))


def cluster_status(address: str) -> dict[str, Any]:
    """Return ``scheduler, database, home, slots, workers, runs, problems``; without the scheduler the last two only."""
    problems = [problem] if (problem := database_problem()) else []
    runs = [] if problem else [run for run in open_store().list_runs() if not run.status.ended]
    running = Counter(_worker_name(run) for run in runs if run.status == RunStatus.RUNNING)
    workers: list[dict[str, Any]] = []
    try:
        with connected(address) as client:
            workers = describe_workers(client)
        if not workers:
            problems.append("No worker is connected: runs wait until one is.")
        problems += [worker["problem"] for worker in workers if worker["problem"]]
    except AquaDashError as error:
        problems.append(f"{error} Runs that train go on; those that wait start when it is back.")
    return {
        "scheduler": address,
        "database": settings.shown_address(settings.database()),
        "home": str(settings.home()),
        "slots": sum(worker["slots"] for worker in workers),
        "workers": [{**worker, "busy": running.get(worker["name"], 0)} for worker in workers],
        "runs": [
            {
                "run_id": run.run_id,
                "name": run.name,
                "status": str(run.status),
                "worker": _worker_name(run),
                "message": run.message,
            }
            for run in runs
        ],
        "problems": problems,
    }


def _worker_name(run: Run) -> str:
    return run.worker.title if run.worker and run.status == RunStatus.RUNNING else ""


def describe_workers(client: Client) -> list[dict[str, Any]]:
    """Return the workers as ``name, address, slots, gpu, problem``, and what each says of itself."""
    known = client.scheduler_info()["workers"]
    own = "" if database_problem() else open_store().database.identity()
    answers = client.run(_describe_worker, own, on_error="return", workers=list(known)) if known else {}
    return [
        {
            "name": str(info["name"]),
            "address": address,
            "slots": info["nthreads"],
            "gpu": bool(info["resources"].get("GPU")),
            **_read_answer(str(info["name"]), address, answers.get(address)),
        }
        for address, info in known.items()
    ]


async def _describe_worker(database: str, dask_worker: Worker) -> dict[str, Any]:
    """Return what a worker knows of itself; Dask calls this in the worker."""
    # Opening a database can take seconds, in which the worker must go on sending heartbeats.
    problem = await asyncio.to_thread(worker_problem)
    if not problem and database and database != open_store().database.identity():
        problem = "Its database is not that of the app. Give both the same AQUADASH_DATABASE (docs/cluster.md)."
    if not problem and PLUGIN not in dask_worker.plugins:
        problem = "It takes no runs. Start it with --preload aquadash.cluster.plugin."
    return {"version": __version__, "home": str(settings.home()), "problem": problem}


def _read_answer(name: str, address: str, answer: Any) -> dict[str, Any]:
    """Return version, home and problem of a worker; of one that has not answered the problem alone."""
    if isinstance(answer, dict):
        return {**answer, "problem": answer["problem"] and f"{name}: {answer['problem']}"}
    if isinstance(answer, OSError) or answer is None:
        return {"problem": f"{name} does not answer at {address}. Let a firewall admit the scheduler there."}
    return {"problem": f"{name} cannot import this version of AquaDash ({type(answer).__name__}: {answer})."}


def watch(jobs: JobTable) -> None:
    """Look at the cluster in a thread, one at a time: an unplugged worker delays the answer by up to 30 s."""
    if _looking.acquire(blocking=False):
        threading.Thread(target=_explain, args=(jobs,), name="cluster-watch", daemon=True).start()


def _explain(jobs: JobTable) -> None:
    """Write on waiting runs why none can start, and pause until the next look."""
    try:
        jobs.explain(KIND, database_problem() or _reason(jobs))
    except AquaDashError as error:
        _log.warning("%s", error)
    finally:
        time.sleep(LOOK_SECONDS)
        _looking.release()


def slots() -> int:
    """Return the slots of the cluster as an app of this home last saw them, without asking the scheduler."""
    state = read_app_state()
    return state.slots if state else 0


def _reason(jobs: JobTable) -> str:
    """Look at the cluster; return why no waiting run can start, or an empty text."""
    address = settings.scheduler_address() or ""
    try:
        with connected(address) as client:
            workers = describe_workers(client)
    except RunError as error:
        return f"{error} Runs wait until it answers."
    state = AppState(__version__, sum(worker["slots"] for worker in workers))
    if state != read_app_state():
        write_app_state(state)
    if not workers:
        return f"No worker is connected to the scheduler {address}. Runs wait until one is."
    if all(worker["problem"] for worker in workers):
        return str(workers[0]["problem"])
    if {job.needs for job in jobs.queue(KIND)} == {"gpu"} and not any(worker["gpu"] for worker in workers):
        return "The run needs a graphics card, and no worker of the cluster has one. It waits until one has."
    return ""
