"""Background work: one table of jobs, one protocol, and the worker process. SQLAlchemy is imported with the first job.

A page or command submits a job (:func:`~aquadash.jobs.worker.start`), a worker process claims it, reports how far it is
and hears whether to stop, and everybody reads the same row of the table.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aquadash.jobs.types import Job, JobProgress, JobStatus, LeaseLostError, Stopped, Worker

if TYPE_CHECKING:
    from aquadash.jobs.table import JobTable


_importing = threading.Lock()


def import_sqlalchemy() -> None:
    """Import what anything here uses of SQLAlchemy: of two threads that begin with that at once, both can fail."""
    with _importing:
        import sqlalchemy.ext.mutable  # noqa: F401


def open_jobs() -> JobTable:
    """The table of jobs that the environment names; the same object while that stays.

    Raises:
        StorageError: It cannot be opened.
    """
    import_sqlalchemy()
    from aquadash.jobs.table import open_table

    return open_table()
