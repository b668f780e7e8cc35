"""The order in which waiting runs start: places changed by the teacher, turns taken fairly, a queue that is held.

A run's place follows from ``Run.queued_at``, the time that the store keeps, and from nothing else: Dask gets it as the
task's priority, so that what the store shows is what happens. To give a run another place is to give it another such
time, to take its task back and to hand it in again. Should its training just be starting, it starts: a second task for
the same run finds it taken and ends.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aquadash import people, settings
from aquadash.classroom import checks, limits
from aquadash.classroom.rights import Action, require
from aquadash.config import RunConfig
from aquadash.engine import supervisor
from aquadash.engine.waiting import Waiting, waiting_times
from aquadash.errors import AquaDashError, RunError
from aquadash.runs import Run, RunStatus, RunStore

if TYPE_CHECKING:
    from distributed import Future

_log = logging.getLogger(__name__)

#: Seconds between two looks whether the queue is held or its order was changed elsewhere.
_LOOK_SECONDS = 1.0

#: The least that lies between the times of two neighbours, in seconds: more than a float of that size can lose.
_APART = 1e-5


class QueueOrder:
    """The part of the engine that looks after the order of what waits. Safe to use from several threads."""

    _store: RunStore
    _futures: dict[str, Future]

    def __init__(self) -> None:
        self._ordering = threading.RLock()
        self._held: set[str] = set()
        #: For which time each run was handed to Dask.
        self._handed_in: dict[str, float] = {}
        self._watcher: threading.Thread | None = None
        self._unwatched = threading.Event()

    def slots(self) -> int:
        raise NotImplementedError

    def _enqueue(self, run_id: str, task: Callable[[str], str], *, priority: float) -> None:
        raise NotImplementedError

    # -- what people do ----------------------------------------------------------------------------------------------

    def reorder(self, run_ids: Sequence[str]) -> list[str]:
        """Let some waiting runs start first, in the order given; the others follow as they stand.

        Args:
            run_ids: Runs that wait.

        Returns:
            The ids of all waiting runs in their new order.

        Raises:
            NotAllowedError: In a class the teacher alone changes the order.
            RunError: One of them does not wait (any more).
        """
        require(Action.REORDER)
        with self._ordering, people.acting(people.OWNER):
            waiting = self._waiting()
            by_id = {run.run_id: run for run in waiting}
            wanted = list(dict.fromkeys(run_ids))
            for run_id in wanted:
                if run_id not in by_id:
                    run = self._store.get(run_id)
                    raise RunError(f"{run.name} does not wait: it is {run.status}. Only waiting runs have a place.")
            chosen = set(wanted)
            order = [by_id[run_id] for run_id in wanted] + [run for run in waiting if run.run_id not in chosen]
            earlier = float("-inf")
            for run, when in zip(order, [run.queued_at for run in waiting], strict=True):
                earlier = max(when, earlier + _APART)
                if earlier != run.queued_at:
                    self._store.set_queued_at(run.run_id, earlier)
            self.follow_order()
            _touch(settings.queue_mark())
            return [run.run_id for run in order]

    def move(self, run_id: str, place: int) -> list[str]:
        """Give one waiting run another place.

        Args:
            run_id: A run that waits.
            place: 1 for the one that starts next; beyond the last is the last.

        Returns:
            The ids of all waiting runs in their new order.

        Raises:
            NotAllowedError: In a class the teacher alone changes the order.
            RunError: The run does not wait (any more), or there is no such place.
        """
        require(Action.REORDER)
        if place < 1:
            raise RunError(f"The place is {place}; expected 1 for the run that starts next, 2 for the one after it ...")
        with self._ordering:
            others = [run.run_id for run in self._waiting() if run.run_id != run_id]
            return self.reorder([*others[: place - 1], run_id])

    def waiting(self) -> dict[str, Waiting]:
        """The place and the time until it starts of each waiting run that whoever asks may see, in their order."""
        from aquadash.runs.snapshot import snapshot_of

        seen = {run.run_id for run in self._store.unfinished_runs()}
        with people.acting(people.OWNER):
            runs = snapshot_of(self._store).runs()
        found = waiting_times(runs, slots=self.slots(), paused=limits.paused())
        return {run_id: one for run_id, one in found.items() if run_id in seen}

    def follow_order(self) -> None:
        """Hand in again what was handed in for another place than it has now.

        This happens by itself about a second after another process has changed the order.
        """
        with self._ordering, people.acting(people.OWNER):
            for run in self._waiting():
                if self._handed_in.get(run.run_id, run.queued_at) != run.queued_at:
                    self._take_back(run.run_id)
                    self._queue_up(run.run_id, supervisor.supervise)

    # -- the limits of a class ---------------------------------------------------------------------------------------

    def follow_limits(self) -> None:
        """Hold the queue, or let it go on, as the limits of the class say.

        This happens by itself about a second after the limits were changed, in whichever process.
        """
        with self._ordering, people.acting(people.OWNER):
            paused = limits.paused()
            for run in self._waiting():
                if paused and run.run_id in self._futures:
                    self._take_back(run.run_id)
                    self._held.add(run.run_id)
                elif not paused and run.run_id in self._held:
                    self._queue_up(run.run_id, supervisor.supervise)
            if not paused:
                self._held.clear()

    @contextmanager
    def _within_limits(self, *configs: RunConfig) -> Iterator[None]:
        """Refuse runs beyond the limits of whoever acts; inside nobody else adds one.

        Raises:
            NotAllowedError: With the limit and what to do.
        """
        require(Action.SUBMIT)
        person = people.current()
        if person.leads:
            yield
            return
        with self._ordering:
            own = [run for run in self._waiting() if run.owner == person.person_id]
            for config in configs:
                checks.check_training(config.training.epochs, waiting=len(own), more=len(configs))
            yield

    # -- the queue ---------------------------------------------------------------------------------------------------

    def _queue_up(self, run_id: str, task: Callable[[str], str]) -> None:
        """Hand a run's task to Dask with the priority of its place, or keep it back while the queue is held."""
        with self._ordering, people.acting(people.OWNER):
            if task is supervisor.supervise:
                self._watch()
                if limits.paused():
                    self._held.add(run_id)
                    return
            when = self._store.get(run_id).queued_at
            self._enqueue(run_id, task, priority=-when)
            if task is supervisor.supervise:
                self._handed_in[run_id] = when

    def _take_back(self, run_id: str) -> None:
        self._handed_in.pop(run_id, None)
        future = self._futures.pop(run_id, None)
        if future is not None:
            future.cancel()

    def _take_turns(self, run: Run) -> Run:
        """In a class, put a run that has just been queued behind as many of everybody's as wait of its owner's."""
        if not settings.classroom():
            return run
        with self._ordering, people.acting(people.OWNER):
            when = fair_time([other for other in self._waiting() if other.run_id != run.run_id], run.owner)
            if when is not None:
                self._store.set_queued_at(run.run_id, when)
            return self._store.get(run.run_id)

    def _waiting(self) -> list[Run]:
        """All waiting runs, the next one first."""
        with people.acting(people.OWNER):
            found = [run for run in self._store.unfinished_runs() if run.status is RunStatus.QUEUED]
        return sorted(found, key=lambda run: run.queued_at)

    def _watch(self) -> None:
        if self._watcher is None:
            self._unwatched.clear()
            self._watcher = threading.Thread(target=self._keep_watching, name="aquadash-queue", daemon=True)
            self._watcher.start()

    def _keep_watching(self) -> None:
        paused, mark = limits.paused(), _changed(settings.queue_mark())
        while not self._unwatched.wait(_LOOK_SECONDS):
            try:
                if limits.paused() != paused:
                    self.follow_limits()
                    paused = not paused
                if _changed(settings.queue_mark()) != mark:
                    # First the time: what is changed from now on is seen at the next look.
                    now = _changed(settings.queue_mark())
                    self.follow_order()
                    mark = now
            except AquaDashError as error:
                _log.error("the queue does not follow yet: %s", error)

    def _end_watching(self) -> None:
        self._unwatched.set()
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.join(timeout=2 * _LOOK_SECONDS)


def _touch(path: Path) -> None:
    """Say to the other processes that something is new; without that they find it out when they start again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path)
    except OSError as error:
        _log.warning("other processes do not hear of the new order: %s", error)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def fair_time(waiting: Sequence[Run], owner: str) -> float | None:
    """Where a new run of somebody goes so that all take turns: behind everybody's n-th run if it is their n-th.

    The places of the others stay as they are, also where somebody has changed them.

    Args:
        waiting: The runs that wait already, the next one first.
        owner: Whose the new run is.

    Returns:
        The ``queued_at`` that gives it its place; None for the last place.
    """
    turns = Counter[str]()
    turn_of = []
    for run in waiting:
        turns[run.owner] += 1
        turn_of.append(turns[run.owner])
    own = [position for position, run in enumerate(waiting) if run.owner == owner]
    later = [position for position, turn in enumerate(turn_of) if turn > len(own) + 1]
    if not later:
        return None
    place = max(later[0], own[-1] + 1 if own else 0)
    if place >= len(waiting):
        return None
    after = waiting[place].queued_at
    return (waiting[place - 1].queued_at + after) / 2 if place else after - 1.0
