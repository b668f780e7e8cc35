"""The engine: a queue of runs over Dask, in this process by default, on a cluster when one is named."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from aquadash import people, settings
from aquadash.config import RunConfig
from aquadash.engine import supervisor
from aquadash.engine.checks import check
from aquadash.engine.connecting import connect, usable
from aquadash.engine.order import QueueOrder
from aquadash.engine.pairs import pair_configs, pipeline_title
from aquadash.errors import AquaDashError, RunError
from aquadash.people import Person
from aquadash.runs import Run, RunStatus, RunStore, Worker, open_store
from aquadash.runs.pairs import WITH, WITHOUT, half_name, new_pair_id

if TYPE_CHECKING:
    from distributed import Client, Future

    from aquadash.engine.keeper import Keeper
    from aquadash.engine.tickets import Ticket

_log = logging.getLogger(__name__)


class Engine(QueueOrder):
    """Queues runs, stops and resumes them, and (inherited) changes their order. Safe to use from several threads.

    Dask is imported and its scheduler started when the first run is queued.
    """

    def __init__(self, store: RunStore) -> None:
        super().__init__()
        self._store = store
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._futures: dict[str, Future | Ticket] = {}
        self._submissions = 0
        self._keeper: Keeper | None = None
        self._slots = 1

    def submit(
        self,
        config: RunConfig,
        *,
        name: str | None = None,
        search_id: str = "",
        repeats: str = "",
        owner: Person | None = None,
    ) -> Run:
        """Store a new run and put it at the end of the queue.

        The saved pipelines that the config names are written into it, as they are now.

        Args:
            config: What it is made from.
            name: What to call it; a friendly one is made up when it is empty.
            search_id: The search that it is a trial of.
            repeats: The id of the run that it repeats.
            owner: Whose it is; whoever acts if None.

        Raises:
            AquaDashError: A name in the config is unknown, pretrained weights cannot be had, the store cannot be
                written or the scheduler not reached, or the class has limits that this is beyond.
        """
        from aquadash.augment import embedded

        check(config)
        config = embedded(config)
        self._connected()
        with self._within_limits(config):
            run = self._take_turns(
                self._store.create(
                    config, name=name, queued_by=_this_process(), search_id=search_id, repeats=repeats, owner=owner
                )
            )
        self._queue_up(run.run_id, supervisor.supervise)
        return run

    def repeat(self, run_id: str) -> Run:
        """Queue a finished run once more, with its stored config, to see whether the same comes out.

        Raises:
            RunError: The run has not finished by itself: nobody could stop a repeat at the same moment.
            AquaDashError: As in :meth:`submit`.
        """
        run = self._store.get(run_id)
        if run.status is not RunStatus.FINISHED:
            raise RunError(
                f"{run.name} is {run.status}. Only a run that finished by itself can be repeated; a stopped one ended "
                "at a moment that no repeat can meet."
            )
        return self.submit(run.config, name=f"{run.name[:100]} again", repeats=run_id)

    def submit_pair(
        self, config: RunConfig, pipeline: str, *, same_updates: bool = False, name: str | None = None
    ) -> tuple[Run, Run]:
        """Store and queue two runs that differ in their augmentation alone: both, or none.

        Args:
            config: What both are made from; its own pipeline is left aside.
            pipeline: The pipeline that one of them trains with.
            same_updates: Let the run without it train for as many more epochs as the pipeline multiplies the images,
                so that both change their weights as often.
            name: What the two are about; the pipeline's title if it is empty.

        Returns:
            The run without the pipeline, which is trained first, and the one with it.

        Raises:
            AquaDashError: As for :meth:`submit`; nothing is queued then.
        """
        from aquadash.augment import embedded

        without, with_it = pair_configs(config, pipeline, same_updates=same_updates)
        for each in (without, with_it):
            check(each)
        without, with_it = embedded(without), embedded(with_it)
        self._connected()
        about = name or pipeline_title(pipeline)
        pair_id, owner = new_pair_id(), _this_process()
        made: list[Run] = []
        try:
            with self._within_limits(without, with_it):
                for each, role in ((without, WITHOUT), (with_it, WITH)):
                    run = self._store.create(each, name=half_name(about, role), queued_by=owner, pair=(pair_id, role))
                    made.append(self._take_turns(run))
        except AquaDashError:
            for run in made:
                self._store.request_stop(run.run_id)
                self._store.delete(run.run_id)
            raise
        for run in made:
            self._queue_up(run.run_id, supervisor.supervise)
        return made[0], made[1]

    def stop(self, run_id: str) -> None:
        """Ask a run to stop: a queued one at once, a running one within seconds. Complete epochs are kept."""
        self._store.request_stop(run_id)

    def resume(self, run_id: str) -> Run:
        """Put a stopped, failed or interrupted run back into the queue, to go on after its last complete epoch."""
        config = self._store.get(run_id).config
        check(config)
        self._connected()
        with self._within_limits(config):
            run = self._take_turns(self._store.requeue(run_id, queued_by=_this_process()))
        self._queue_up(run_id, supervisor.supervise)
        return run

    def adopt(self, *, only: Collection[str] | None = None) -> list[str]:
        """Take over what an engine of this machine left behind when its process ended.

        Runs that still train keep a slot until they end; runs that waited are queued again. Runs that this engine or a
        living process looks after, or that another machine queued, are left alone.

        Args:
            only: The ids of the runs to look at; all of them when None.

        Returns:
            The ids of the runs taken over.
        """
        adopted = []
        for run in reversed(self._unattended(only)):
            # On a cluster somebody looks after a silent run, too, and goes on with it.
            at_work = run.status is RunStatus.RUNNING or (run.status.ended and self._on_cluster)
            if at_work and _is_orphan(self._store.queued_by(run.run_id)):
                self._queue_up(run.run_id, supervisor.watch)
                adopted.append(run.run_id)
        waiting = [run for run in self._unattended(only) if run.status is RunStatus.QUEUED]
        for run in sorted(waiting, key=lambda run: run.queued_at):
            if _is_orphan(self._store.queued_by(run.run_id)):
                self._store.requeue(run.run_id, queued_by=_this_process())
                self._queue_up(run.run_id, supervisor.supervise)
                adopted.append(run.run_id)
        return adopted

    def queue_position(self, run_id: str) -> int | None:
        """1 for the queued run that starts next, and so on; None for one that is not queued."""
        return self._store.queue_position(run_id)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything; workers go on by themselves. The engine may be used again afterwards."""
        supervisor.closing.set()
        self._end_watching()
        with self._lock:
            client, self._client = self._client, None
            keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.close()
        if client is not None:
            cluster = client.cluster
            client.close(timeout=2)
            if cluster is not None:
                cluster.close(timeout=2)

    def _unattended(self, only: Collection[str] | None) -> list[Run]:
        """Waiting and running runs, all or those of ``only``, that no slot here holds or will take; newest first."""
        return [
            run
            for run in self._store.unfinished_runs()
            if (only is None or run.run_id in only)
            and ((future := self._futures.get(run.run_id)) is None or future.done())
        ]

    @property
    def _on_cluster(self) -> bool:
        return settings.scheduler_address() is not None

    def slots(self) -> int:
        """How many runs may train at once: here, or on the cluster's workers as they are now, at least 1.

        It asks no scheduler that is not connected yet: pages ask for this, and would wait for one that is away.

        Raises:
            ConfigError: The setting cannot be used.
        """
        if not self._on_cluster:
            return settings.slots()
        client = self._client
        if client is not None and usable(client):
            with contextlib.suppress(OSError, TimeoutError):
                self._slots = max(1, sum(client.nthreads().values()))
        return self._slots

    def _enqueue(self, run_id: str, task: Callable[[str], str], *, priority: float) -> None:
        client = self._connected()
        if self._on_cluster:
            from aquadash.engine.keeper import Keeper
            from aquadash.engine.tickets import Ticket

            self._futures[run_id] = Ticket(self._store, run_id, self._connected, priority=priority)
            with self._lock:
                self._keeper = self._keeper or Keeper(self, self._store, self._futures)
            return
        with self._lock:
            self._submissions += 1
            key = f"{task.__name__}-{run_id}-{os.getpid()}-{self._submissions}"
        future = client.submit(task, run_id, key=key, pure=False, priority=priority)
        # Dask forgets a task that nobody holds.
        self._futures[run_id] = future

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None or not usable(self._client):
                # Its threads belong to nobody.
                with people.acting(people.OWNER):
                    self._client = connect()
            return self._client


def _this_process() -> Worker:
    return Worker(socket.gethostname(), os.getpid())


def _is_orphan(owner: Worker | None) -> bool:
    """True when the process that queued a run was of this machine and is gone."""
    import psutil

    if owner is None:
        return True
    if owner.host != socket.gethostname():
        return False
    return owner.pid == os.getpid() or not psutil.pid_exists(owner.pid)


_engines: dict[int, Engine] = {}
_opening = threading.Lock()


def open_engine() -> Engine:
    """The engine of this process for the store that the settings name.

    Raises:
        AquaDashError: The store cannot be opened.
    """
    store = open_store()
    with _opening:
        if id(store) not in _engines:
            engine = Engine(store)
            atexit.register(_close_quietly, engine)
            _engines[id(store)] = engine
        return _engines[id(store)]


def _close_quietly(engine: Engine) -> None:
    try:
        engine.close()
    except (OSError, RuntimeError, TimeoutError, AquaDashError) as error:
        _log.debug("the engine did not close cleanly: %s", error)
