"""Opens the run store and the engine in a thread beside the first pages, which wait for it or ask :func:`ready`."""

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
    """One attempt at opening the store and the engine of an address."""

    address: str
    #: Set when the opening need not wait for the first page.
    wanted: threading.Event = field(default_factory=threading.Event)
    store: Future[None] = field(default_factory=Future)
    engine: Future[None] = field(default_factory=Future)


#: Seconds by which the import of MLflow waits for the first page.
_HEAD_START = 2.0

_lock = threading.Lock()
_openings: dict[str, _Opening] = {}


def start() -> None:
    """Start opening, unless that is under way or done; retry after a failure."""
    _opening(retry=True)


def page_drawn() -> None:
    """Begin with the store at once, since the first page is drawn."""
    with _lock:
        opening = _openings.get(settings.store_key())
    if opening is not None:
        opening.wanted.set()


def ready() -> bool:
    """Return whether the store is open; raise its error where it could not be opened."""
    store = _opening(retry=False).store
    if store.done():
        store.result()
    return store.done()


def wait_for_store() -> None:
    """Wait until the store is open."""
    opening = _opening(retry=False)
    opening.wanted.set()
    opening.store.result()


def prepare_training() -> None:
    """Let a worker stand by, since the visitor may be about to train."""
    _prepare(_prepare_worker)


def prepare_answers() -> None:
    """Start the process of the networks, since the visitor may be about to drop a picture."""
    _prepare(_prepare_answers)


def _prepare(work: Callable[[], object]) -> None:
    """Do the work in a thread, once the store and the engine are open."""
    address = settings.store_key()

    def prepare() -> None:
        if _opening(retry=False).engine.exception() is None and settings.store_key() == address:
            try:
                work()
            except (AquaDashError, OSError) as error:
                # The first use fails with the same error and shows it.
                _LOG.info("nothing stands by: %s", error)

    threading.Thread(target=prepare, name="aquadash-prepare", daemon=True).start()


def _prepare_worker() -> None:
    from aquadash.engine import open_engine

    open_engine().prepare()


def _prepare_answers() -> None:
    from aquadash.predict import remote

    remote.prepare()


def _opening(*, retry: bool) -> _Opening:
    """Return the attempt of the present address; start one if there is none or, with ``retry``, if it failed."""
    address = settings.store_key()
    with _lock:
        opening = _openings.get(address)
        failed = opening is not None and opening.engine.done() and opening.engine.exception() is not None
        if opening is None or (retry and failed):
            opening = _openings[address] = _Opening(address)
            threading.Thread(target=_open, args=(opening,), name="aquadash-warm-up", daemon=True).start()
        return opening


def _open(opening: _Opening) -> None:
    """Open the store, then the engine; errors go into the futures."""
    try:
        from aquadash.runs import open_store
        from aquadash.runs.snapshot import is_kept, snapshot_of

        if is_kept():
            # The kept reading needs no MLflow.
            snapshot_of(open_store(at_once=False)).runs()
        else:
            opening.wanted.wait(_HEAD_START)
            open_store()
        opening.store.set_result(None)
        # The engine's imports would delay the page that has waited for the store, and its browser's requests.
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
    # Imports scikit-learn, which takes a second, before the first look at a run's results.
    evaluation.evaluate([0, 1], [[1.0, 0.0], [0.0, 1.0]], class_names=["one", "other"])


def _serve(address: str) -> None:
    """Start waiting jobs, unless another home was set meanwhile, as tests do."""
    from aquadash.engine import open_engine

    engine = open_engine()
    if settings.store_key() == address:
        engine.serve()


def _presentable(error: Exception, what: str) -> AquaDashError:
    """Return an error of ours as it is, and a general one for others, whose details are logged."""
    if isinstance(error, AquaDashError):
        return error
    _LOG.error("%s", what, exc_info=error)
    return StorageError(
        f"{what} ({type(error).__name__}). The details are in the console that AquaDash was started from."
    )
