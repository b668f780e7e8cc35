"""Prepares what is slow (run store, engine) beside the first pages instead of before them.

One daemon thread a store address does it. A page that needs the store waits for it; a page that can say "opening"
asks :func:`ready` instead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from aquadash import evaluation, settings
from aquadash.errors import AquaDashError, StorageError

_LOG = logging.getLogger(__name__)


@dataclass
class _Opening:
    """One attempt at opening the store and the engine of one address; a future is done once its part has succeeded or
    failed."""

    address: str
    #: Set when the opening need not wait for the first page any more.
    wanted: threading.Event = field(default_factory=threading.Event)
    store: Future[None] = field(default_factory=Future)
    engine: Future[None] = field(default_factory=Future)


#: Seconds that the first page has the processor to itself: importing MLflow beside it would make it late.
_HEAD_START = 2.0

_lock = threading.Lock()
_openings: dict[str, _Opening] = {}


def start() -> None:
    """Start opening, unless that is under way or done. A failed attempt is made again."""
    _opening(retry=True)


def page_drawn() -> None:
    """The first page is there: begin with the store now. Nothing happens where nothing was started."""
    with _lock:
        opening = _openings.get(settings.store_key())
    if opening is not None:
        opening.wanted.set()


def ready() -> bool:
    """True once the store can be read without waiting.

    Raises:
        AquaDashError: It could not be opened.
    """
    store = _opening(retry=False).store
    if store.done():
        store.result()
    return store.done()


def wait_for_store() -> None:
    """Return once the store is open."""
    opening = _opening(retry=False)
    opening.wanted.set()
    opening.store.result()


def prepare_training() -> None:
    """Have a worker stand by, beside the page: its visitor may be about to train."""
    _prepare(_prepare_worker)


def prepare_answers() -> None:
    """Have the process that asks the networks start, beside the page: its visitor may be about to show a picture."""
    _prepare(_prepare_answers)


def _prepare(work: Callable[[], object]) -> None:
    """Do it beside the page, once the store and the engine are open."""
    threading.Thread(target=_prepared, args=(settings.store_key(), work), name="aquadash-prepare", daemon=True).start()


def _prepared(address: str, work: Callable[[], object]) -> None:
    opening = _opening(retry=False)
    if opening.engine.exception() is None and settings.store_key() == address:
        try:
            work()
        except (AquaDashError, OSError) as error:
            # Whoever needs it meets the same and is told.
            _LOG.info("nothing stands by: %s", error)


def _prepare_worker() -> None:
    from aquadash.engine import open_engine

    open_engine().prepare()


def _prepare_answers() -> None:
    from aquadash.predict import remote

    remote.prepare()


def _opening(*, retry: bool) -> _Opening:
    """The attempt of the present address, started if there is none (or, with ``retry``, none that may succeed)."""
    address = settings.store_key()
    with _lock:
        opening = _openings.get(address)
        failed = opening is not None and opening.engine.done() and opening.engine.exception() is not None
        if opening is None or (retry and failed):
            opening = _openings[address] = _Opening(address)
            threading.Thread(target=_open, args=(opening,), name="aquadash-warm-up", daemon=True).start()
        return opening


def _open(opening: _Opening) -> None:
    """Open the store, then the engine; errors come to whoever waits."""
    try:
        from aquadash.runs import open_store
        from aquadash.runs.snapshot import is_kept, snapshot_of

        if is_kept():
            # That is read without MLflow, and before anybody comes.
            snapshot_of(open_store(at_once=False)).runs()
        else:
            opening.wanted.wait(_HEAD_START)
            open_store()
        opening.store.set_result(None)
        # A page that has waited for the store is now drawn, and then asks for what its browser lacks: the engine's
        # imports would hold both up.
        time.sleep(_HEAD_START)
        _serve(opening.address)
        opening.engine.set_result(None)
    except Exception as error:
        opened = opening.store.done()
        what = "The training engine could not be started" if opened else "The run store could not be opened"
        for failed in (opening.engine,) if opened else (opening.store, opening.engine):
            failed.set_exception(_presentable(error, what))
    if settings.store_key() != opening.address:
        return
    # Scikit-learn takes a second to import, which the first look at a run's results would otherwise wait for.
    evaluation.evaluate([0, 1], [[1.0, 0.0], [0.0, 1.0]], class_names=["one", "other"])


def _serve(address: str) -> None:
    """Give what waits to workers, also what was left behind.

    Opening takes seconds, in which another home may be set, as tests do. What lies there is not for this thread to take
    over.
    """
    from aquadash.engine import open_engine

    engine = open_engine()
    if settings.store_key() == address:
        engine.serve()


def _presentable(error: Exception, what: str) -> AquaDashError:
    """The error itself if it is meant for people, else a plain one; the details go to the console."""
    if isinstance(error, AquaDashError):
        return error
    _LOG.error("%s", what, exc_info=error)
    return StorageError(
        f"{what} ({type(error).__name__}). The details are in the console that AquaDash was started from."
    )
