"""The scheduler: Dask's, in the place of this process."""

import os
import sys
from typing import NoReturn

from aquadash import settings


def scheduler_address(host: str, port: int) -> str:
    """Return the address of a scheduler that is started here: ``tls://`` where Dask's settings ask for encryption."""
    from distributed.security import Security

    return f"{'tls' if Security().require_encryption else 'tcp'}://{host}:{port}"


def become_scheduler(host: str, port: int) -> NoReturn:
    """Replace this process by Dask's scheduler."""
    words = [sys.executable, "-m", "dask", "scheduler", "--host", host, "--port", str(port)]
    words += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    # The scheduler gives up a worker that sends no heartbeat for so long. A worker that lives after all joins again.
    os.environ.setdefault("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "15s")
    os.chdir(settings.PROJECT_ROOT)
    os.execv(sys.executable, words)
