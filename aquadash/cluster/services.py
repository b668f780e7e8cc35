"""The services of a cluster: Dask's scheduler, in the place of this process, and a Dask worker in this process."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import psutil

from aquadash import settings
from aquadash.errors import AquaDashError, RunError
from aquadash.store import RunStatus, open_jobs
from aquadash.store.runs import KIND
from aquadash.work.processes import is_worker

if TYPE_CHECKING:
    from distributed import Worker

_log = logging.getLogger("aquadash.cluster")

#: Seconds that a training has to end after SIGTERM.
_END_SECONDS = 5.0


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


def find_gpu() -> str:
    """Return the first graphics card of ``CUDA_VISIBLE_DEVICES``, or of ``nvidia-smi`` where that is not set."""
    visible = settings.visible_gpus()
    tool = shutil.which("nvidia-smi")
    if visible is None and tool is not None:
        words = [tool, "--query-gpu=index", "--format=csv,noheader"]
        with suppress(OSError, subprocess.SubprocessError):
            visible = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.split()
    return visible[0] if visible else ""


def run_worker(scheduler: str, *, name: str, slots: int, gpu: str, host: str | None, port: int) -> None:
    """Work for the cluster until SIGTERM or Ctrl-C, then hand over. No ``gpu``: none; port 0: any free one."""
    os.environ |= {"AQUADASH_WORKER_NAME": name, "AQUADASH_SLOTS": str(slots), "CUDA_VISIBLE_DEVICES": gpu or "-1"}
    asyncio.run(_work(scheduler, name, host, port))
    # Not after an error: a worker that is refused for its name must not end the trainings of the one that has it.
    hand_over(name)


async def _work(scheduler: str, name: str, host: str | None, port: int) -> None:
    """Run a Dask worker until a signal comes; start a new one whenever the connection to the scheduler is lost."""
    from distributed import Worker

    from aquadash.cluster.plugin import TakeRuns

    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    stopped = asyncio.create_task(ending.wait())
    while True:
        resources = {"GPU": 1} if settings.offers() else {}
        listen = {"host": host, "port": port, "dashboard_address": "127.0.0.1:0"}
        threads = {"nthreads": settings.slots(), "resources": resources, "memory_limit": 0}
        worker = Worker(scheduler, name=name, plugins=[TakeRuns()], **threads, **listen)
        serving = asyncio.create_task(_serve(worker, name))
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        if ending.is_set():
            await worker.close(timeout=2)
            return
        # It raises where the scheduler has refused the worker.
        await serving
        _log.warning("The connection to the scheduler %s is lost. The worker waits for it.", scheduler)


async def _serve(worker: Worker, name: str) -> None:
    """Register with the scheduler, which may be away for hours, and serve until the connection is lost."""
    try:
        await worker
    except (ValueError, RuntimeError) as error:
        reason = str(error.__cause__ or error)
        taken = f"it has a worker {name} already; end that one, or give this one another --name"
        raise RunError(f"The scheduler refused this worker: {taken if 'name taken' in reason else reason}.") from None
    _log.info("%s takes runs", name)
    await worker.finished()


def hand_over(name: str) -> None:
    """End the trainings of a worker of this machine, and put them back into the queue."""
    try:
        jobs = open_jobs()
        for job in jobs.find(kind=KIND, status=[RunStatus.RUNNING]):
            if job.worker and (job.worker.name, job.worker.machine) == (name, settings.this_machine()[1]):
                _end(job.worker.pid)
                jobs.requeue(job, f"The worker {name} was shut down", is_failure=False)
                _log.info("%s is handed over", job.id)
    except AquaDashError as error:
        _log.warning("Other workers take the runs of this one within a minute: %s", error)


def _end(pid: int) -> None:
    """End a training, unless it has not begun or its number belongs to another process by now."""
    if pid == os.getpid() or not is_worker(pid):
        return
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        with suppress(psutil.TimeoutExpired):
            process.wait(_END_SECONDS)
            return
        process.kill()
