"""Starts in threads what is slow to start, beside the first pages: the slots and a worker that stands by."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from aquadash import settings
from aquadash.errors import AquaDashError

_log = logging.getLogger(__name__)

_lock = threading.Lock()
_served: set[str] = set()


def start() -> None:
    """Give what waits to workers from now on, also what an earlier app left behind. A failed attempt is repeated."""
    with _lock:
        if settings.store_key() not in _served:
            _served.add(settings.store_key())
            _beside_the_page(_serve, settings.store_key())


def prepare_training() -> None:
    """Have a worker stand by: the visitor of the page may be about to train."""
    _beside_the_page(_prepare_worker)


def prepare_answers() -> None:
    """Start the process that asks the networks: the visitor of the page may be about to show a picture."""
    _beside_the_page(_prepare_answers)


def _beside_the_page(work: Callable[..., object], *arguments: str) -> None:
    def quietly() -> None:
        try:
            work(*arguments)
        except (AquaDashError, OSError) as error:
            # The page that needs it meets the same error and shows it.
            _log.info("not prepared: %s", error)

    threading.Thread(target=quietly, name=f"aquadash{work.__name__.replace('_', '-')}", daemon=True).start()


def _serve(address: str) -> None:
    from aquadash.work.queue import open_engine

    try:
        engine = open_engine()
    except BaseException:
        _served.discard(address)
        raise
    # Opening takes time, in which a test may set another home: its jobs are not for this thread.
    if settings.store_key() == address:
        engine.serve()


def _prepare_worker() -> None:
    from aquadash.work.queue import open_engine

    open_engine().prepare()


def _prepare_answers() -> None:
    from aquadash.predict import remote

    remote.prepare()
