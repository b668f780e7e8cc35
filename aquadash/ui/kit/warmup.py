"""Starts slow things in threads while the first pages are drawn: the queue, a worker, the process of the networks."""

import logging
import threading
from collections.abc import Callable

from aquadash import settings
from aquadash.errors import AquaDashError
from aquadash.predict import remote

_log = logging.getLogger(__name__)

_lock = threading.Lock()
_served: set[str] = set()


def start() -> None:
    """Start the queue of this store, which may hold jobs of an earlier app; after a failure the next page retries."""
    with _lock:
        if settings.store_key() not in _served:
            _served.add(settings.store_key())
            _in_thread(_serve, settings.store_key())


def prepare_training() -> None:
    """Start a worker that waits for a run: the visitor may be about to train."""

    def prepare() -> None:
        from aquadash.work.queue import open_engine

        open_engine().prepare()

    _in_thread(prepare)


def prepare_answers() -> None:
    """Start the process of the networks: the visitor may be about to show a picture."""
    _in_thread(remote.prepare)


def _in_thread(work: Callable[..., object], *arguments: str) -> None:
    def quietly() -> None:
        try:
            work(*arguments)
        except (AquaDashError, OSError) as error:
            # The page that needs it meets the same error and shows it.
            _log.info("not prepared: %s", error)

    threading.Thread(target=quietly, name="aquadash-warmup", daemon=True).start()


def _serve(store_key: str) -> None:
    from aquadash.work.queue import open_engine

    try:
        engine = open_engine()
    except BaseException:
        _served.discard(store_key)
        raise
    # A test may have set another home while the engine opened; that home's jobs are not for this thread.
    if settings.store_key() == store_key:
        engine.serve()
