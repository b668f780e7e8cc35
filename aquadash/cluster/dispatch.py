"""The app's part in a cluster: it notes the version and the slots, and says on waiting runs why none starts."""

from __future__ import annotations

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
from aquadash.errors import AquaDashError
from aquadash.store.jobs import JobTable
from aquadash.store.runs import KIND

#: Seconds between two looks at the cluster, and seconds that the scheduler has to answer.
LOOK_SECONDS, CONNECT_SECONDS = 5.0, 2.0


class Watch:
    """Looks at the cluster every few seconds. Used by one thread."""

    def __init__(self) -> None:
        self._next_at = 0.0

    def look(self, jobs: JobTable) -> None:
        """Note the slots, and write on the waiting runs why none can start."""
        if time.monotonic() < self._next_at:
            return
        try:
            reason = database_problem() or _look({job.needs for job in jobs.queue(KIND)})
        except AquaDashError as error:
            reason = f"{error} Runs wait until it answers."
        jobs.explain(KIND, reason)
        self._next_at = time.monotonic() + LOOK_SECONDS


def slots() -> int:
    """Return the slots of the cluster as an app of this home last saw them, without asking the scheduler."""
    state = read_app_state()
    return state.slots if state else 0


def _look(needs: set[str]) -> str:
    """Look at the cluster; return why no run with these needs can start, or an empty text."""
    address = settings.scheduler_address()
    assert address is not None
    with connected(address, seconds=CONNECT_SECONDS) as client:
        workers = describe_workers(client)
    state = AppState(__version__, sum(worker["slots"] for worker in workers))
    if state != read_app_state():
        write_app_state(state)
    if not workers:
        return f"No worker is connected to the scheduler {address}. Runs wait until one is."
    if all(worker["problem"] for worker in workers):
        return str(workers[0]["problem"])
    if needs == {"gpu"} and not any(worker["gpu"] for worker in workers):
        return "The run needs a graphics card, and no worker of the cluster has one. It waits until one has."
    return ""


#: Looks after the cluster for this process.
watch = Watch().look
