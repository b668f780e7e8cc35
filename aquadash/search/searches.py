"""The searches of this process: each is carried out in a thread of its own until it ends or is stopped."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from aquadash import people
from aquadash.augment import embedded
from aquadash.classroom import checks
from aquadash.classroom.rights import Action, require
from aquadash.engine.checks import check
from aquadash.errors import AquaDashError, RunError
from aquadash.runs.types import RunStatus
from aquadash.search import store as kept
from aquadash.search.controller import Controller, TrialEngine, TrialRuns
from aquadash.search.plan import Budget, SearchPlan
from aquadash.search.space import grid
from aquadash.search.store import SearchStore, open_search_store
from aquadash.search.types import Search

if TYPE_CHECKING:
    from filelock import FileLock

_log = logging.getLogger(__name__)

#: Seconds between two looks at the trials: workers report once a second.
POLL_SECONDS = 1.0

#: Errors in a row (a busy or full disk) after which a search gives up.
_MOST_ERRORS = 30

#: Seconds to wait for a search's lock: another process may be looking whether anybody has it, which takes a moment.
_LOCK_SECONDS = 3.0


class Searches:
    """Starts, stops and continues searches. Safe to use from several threads."""

    def __init__(
        self, store: SearchStore, *, engine: TrialEngine, runs: TrialRuns, poll_seconds: float = POLL_SECONDS
    ) -> None:
        """Nothing is carried out yet.

        Args:
            store: Where searches are kept.
            engine: Trains the trials.
            runs: Where the engine keeps them.
            poll_seconds: Between two looks at the trials.
        """
        self._store = store
        self._engine = engine
        self._runs = runs
        self._poll_seconds = poll_seconds
        self._ended: dict[str, threading.Event] = {}
        self._wake: dict[str, threading.Event] = {}

    def start(self, plan: SearchPlan) -> str:
        """Store a new search, begin it, and return its id.

        Raises:
            AquaDashError: The plan cannot be carried out, its pretrained weights not be had, or it not be stored.
            NotAllowedError: In this class the teacher alone starts searches, or its trainings are beyond the limits.
        """
        require(Action.SEARCH)
        checks.check_search()
        checks.check_training(plan.config.training.epochs, waiting=0)
        epochs = [value for part in plan.space if part.name == "training.epochs" for value in grid(part, points=2)]
        for each in epochs:
            checks.check_training(int(each), waiting=0)
        plan.checked()
        check(plan.config)
        # All trials learn with the same pipelines, also when somebody edits one in between.
        tried = [
            str(value) for part in plan.space if part.name == "augmentation.pipeline" for value in grid(part, points=2)
        ]
        plan = replace(plan, config=embedded(plan.config, also=tried))
        search_id = self._store.create(plan)
        self._take_up(search_id, {})
        return search_id

    def stop(self, search_id: str) -> None:
        """Ask a search to stop, in whichever process it is carried out.

        Its runs at work are stopped and keep their complete epochs; their trials rest until the search is continued.

        Raises:
            RunError: It is not running.
        """
        self._store.request_stop(search_id)
        if search_id in self._wake:
            self._wake[search_id].set()

    def resume(self, search_id: str, *, budget: Budget | None = None) -> None:
        """Continue a search that was stopped, interrupted, failed, or has spent its budget.

        Args:
            search_id: Which one.
            budget: A new one, counted from the search's beginning; None keeps the old one.

        Raises:
            RunError: It is running, or its budget has no room.
            NotAllowedError: It is not one's own, or in this class the teacher alone starts searches.
        """
        search = self._store.get(search_id)
        require(Action.RESUME, search.thing)
        checks.check_search()
        if search.status is RunStatus.RUNNING:
            raise RunError(f"{search.name} is running already.")
        if budget is not None:
            self._store.set_budget(search_id, budget)
            search = self._store.get(search_id)
        most, minutes = search.plan.most_trials, search.plan.budget.minutes
        rest = any(not trial.state.ended for trial in search.trials)
        if not rest and search.exhausted:
            raise RunError(f"{search.name} has tried every point of its grid. Begin a new search with more values.")
        if not rest and most is not None and len(search.trials) >= most:
            raise RunError(f"{search.name} has made all of its {len(search.trials)} trials. Give it a budget of more.")
        if not rest and minutes is not None and search.seconds >= 60 * minutes:
            raise RunError(f"{search.name} has spent its {minutes:g} minutes. Give it a budget of more.")
        self._take_up(search_id, {kept.STOP: False, kept.MESSAGE: ""})

    def set_hidden(self, search_id: str, hidden: bool = True) -> None:
        """:meth:`SearchStore.set_hidden`."""
        self._store.set_hidden(search_id, hidden)

    def adopt(self) -> list[str]:
        """Take up the searches whose process is gone, and return their ids.

        Call it after the engine has adopted its runs.
        """
        adopted = []
        for head in self._store.heads():
            if head.status is RunStatus.INTERRUPTED:
                try:
                    self._take_up(head.search_id, {})
                except RunError as error:
                    _log.info("search %s: %s", head.search_id, error)
                else:
                    adopted.append(head.search_id)
        return adopted

    def get(self, search_id: str) -> Search:
        """One search as it is now."""
        return self._store.get(search_id)

    def wait(self, search_id: str, *, timeout: float) -> bool:
        """Wait until this process has nothing more to do for the search; returns whether that is so."""
        # Not the thread's own join: Ctrl-C within it makes Python 3.11 take the thread for dead (bpo-46726).
        ended = self._ended.get(search_id)
        return ended is None or ended.wait(timeout)

    def _take_up(self, search_id: str, attributes: dict[str, bool | str]) -> None:
        """Become the one who carries the search out."""
        lock = self._store.lock(search_id)
        with people.acting(people.OWNER):
            self._begin(search_id, lock, attributes)

    def _begin(self, search_id: str, lock: FileLock, attributes: dict[str, bool | str]) -> None:
        from filelock import Timeout

        try:
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise RunError("Another process carries this search out already, or is still stopping it.") from None
        try:
            self._store.set_attributes(search_id, {**attributes, kept.STATUS: str(RunStatus.RUNNING)})
            wake, ended = self._wake[search_id], self._ended[search_id] = threading.Event(), threading.Event()
            threading.Thread(
                target=self._carry_out,
                args=(search_id, lock, wake, ended),
                name=f"search-{search_id[:8]}",
                daemon=True,
            ).start()
        except BaseException:
            lock.release()
            raise

    def _carry_out(self, search_id: str, lock: FileLock, wake: threading.Event, ended: threading.Event) -> None:
        """Look after the search until it ends; what a thread of its own does."""
        errors = 0
        try:
            controller = Controller(self._store, search_id, engine=self._engine, runs=self._runs)
            while True:
                try:
                    if not controller.step():
                        return
                    errors = 0
                except AquaDashError as error:
                    errors += 1
                    _log.warning("search %s (%d in a row): %s", search_id, errors, error)
                    if errors >= _MOST_ERRORS:
                        raise
                wake.wait(self._poll_seconds)
                wake.clear()
        except Exception as error:
            self._give_up(search_id, error)
        finally:
            lock.release()
            ended.set()

    def _give_up(self, search_id: str, error: Exception) -> None:
        """Say why a search ended that was not to end."""
        _log.error("search %s failed", search_id, exc_info=error)
        message = str(error) if isinstance(error, AquaDashError) else f"Unexpected {type(error).__name__}: {error}"
        try:
            self._store.set_attributes(search_id, {kept.MESSAGE: message[:500], kept.STATUS: str(RunStatus.FAILED)})
        except AquaDashError as second:
            _log.error("search %s: not even that could be written: %s", search_id, second)


_opened: dict[int, Searches] = {}
_opening = threading.Lock()


def open_searches() -> Searches:
    """The searches of this process for the home that the settings name.

    Raises:
        AquaDashError: A store cannot be opened.
    """
    from aquadash.engine import open_engine
    from aquadash.runs import open_store

    store = open_search_store()
    with _opening:
        if id(store) not in _opened:
            _opened[id(store)] = Searches(store, engine=open_engine(), runs=open_store())
        return _opened[id(store)]
