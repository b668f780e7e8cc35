"""Keeps runs on their way through a cluster: a thread that notices when the scheduler or a run's task is gone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from typing import Protocol

from aquadash.engine.tickets import Ticket
from aquadash.errors import AquaDashError
from aquadash.runs import RunStatus, RunStore

_log = logging.getLogger(__name__)

#: Seconds between two looks at the runs that this process has queued, and looks until one at everybody's.
LOOK_SECONDS = 3.0
_WHOLE_LOOK = 10


class Adopting(Protocol):
    """What it needs of the engine."""

    def adopt(self, *, only: Collection[str] | None = None) -> list[str]: ...


class Keeper:
    """Gives runs to the cluster again that it has lost. One an engine."""

    def __init__(self, engine: Adopting, store: RunStore, tickets: Mapping[str, object]) -> None:
        """Starts the thread.

        Args:
            engine: Takes runs over.
            store: The run store.
            tickets: The engine's tickets by run; it changes as runs come.
        """
        self._engine = engine
        self._store = store
        self._tickets = tickets
        self._closing = threading.Event()
        self._complained = ""
        self._thread = threading.Thread(target=self._keep, name="aquadash-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=2 * LOOK_SECONDS)

    def _keep(self) -> None:
        looks = 0
        while not self._closing.wait(LOOK_SECONDS):
            looks += 1
            try:
                self.look(everybody=looks % _WHOLE_LOOK == 0)
                self._complained = ""
            except AquaDashError as error:
                # Said once: the scheduler may be away for hours.
                if str(error) != self._complained:
                    _log.warning("%s", error)
                self._complained = str(error)
            except Exception:
                _log.exception("runs could not be looked after")

    def look(self, *, everybody: bool = False) -> None:
        """Take over again what the cluster has let go of.

        Args:
            everybody: Look at the runs of other processes of this machine, too, which may have ended.

        Raises:
            AquaDashError: The scheduler or the store does not answer; the next look tries again.
        """
        ended = [
            run_id for run_id, ticket in list(self._tickets.items()) if isinstance(ticket, Ticket) and ticket.done()
        ]
        lost = [run_id for run_id in ended if self._is_lost(run_id)]
        if everybody:
            self._engine.adopt()
        elif lost:
            self._engine.adopt(only=lost)

    def _is_lost(self, run_id: str) -> bool:
        """Whether a run must be given to the cluster again; one that no worker can take fails."""
        ticket = self._tickets[run_id]
        assert isinstance(ticket, Ticket)
        status = self._store.attendance(run_id).status
        if status.ended:
            return False
        error = ticket.error
        if error and status is RunStatus.QUEUED:
            self._store.set_status(run_id, RunStatus.FAILED, message=error)
            return False
        if ticket.used_up:
            self._store.set_ticket(run_id, "")
        return True
