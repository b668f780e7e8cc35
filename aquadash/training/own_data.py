"""The images of a run, on whichever machine it trains: own pictures that are not there come from the run store."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from aquadash import data, settings
from aquadash.data import Dataset
from aquadash.data.folder import about
from aquadash.data.folder.store import unpack, use_fetched
from aquadash.runs import Progress, Run, RunStore
from aquadash.runs.data_files import DataFiles

_log = logging.getLogger("aquadash.worker")


def load(store: RunStore, run: Run, report: Callable[[Progress], None]) -> Dataset:
    """Load what the run learns from; pictures that were sent along with it are fetched first where they are missing.

    Args:
        store: Where runs are kept.
        run: The run.
        report: Is told how far the fetching is.

    Raises:
        DataError: The images are missing, damaged or not those that were sent.
        Stopped: Somebody asked the run to stop meanwhile.
    """
    source = run.config.data.source
    fingerprint = store.data_sent(run.run_id) if source.startswith(about.PREFIX) else ""
    if fingerprint:
        name = source.removeprefix(about.PREFIX)
        kept = about.all_kept().get(name)
        # On the app's own machine they are there; another machine may have others of the same name.
        if (kept is None or kept.fingerprint != fingerprint) and not use_fetched(name, fingerprint):
            _fetch(store, run, fingerprint, report)
            use_fetched(name, fingerprint)
    return data.load(source)


def _fetch(store: RunStore, run: Run, fingerprint: str, report: Callable[[Progress], None]) -> None:
    def progress(done: int, size: int) -> None:
        what = f"fetching its pictures ({done / 1e6:,.0f} of {size / 1e6:,.0f} MB)"
        report(Progress(what, epochs=run.config.training.epochs))

    _log.info("fetching the pictures %s from the run store", fingerprint[:12])
    workshop = settings.home() / "tmp"
    workshop.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workshop) as folder:
        path = Path(folder) / "pictures.zip"
        DataFiles(store).fetch(fingerprint, path, progress=progress)
        unpack(path, fingerprint)
