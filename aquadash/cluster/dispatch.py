"""The app's part in a cluster: it notes the version and the slots, and says on waiting runs why none starts."""

import logging
import threading
import time

from aquadash import __version__, settings
from aquadash.cluster.checks import (
    AppState,
    connected,
    database_problem,
    describe_workers,
    read_app_state,
    write_app_state,
)
from aquadash.errors import AquaDashError, RunError
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND

_log = logging.getLogger("aquadash.cluster")

#: Seconds between two looks at the cluster, and seconds that the scheduler has to answer.
LOOK_SECONDS, CONNECT_SECONDS = 5.0, 2.0


_looking = threading.Lock()


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
        with connected(address, seconds=CONNECT_SECONDS) as client:
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
