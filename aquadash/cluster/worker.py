"""A machine's worker: a Dask worker in this process, or one in a process of its own for each of several cards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from aquadash import settings
from aquadash.errors import AquaDashError, ConfigError, RunError
from aquadash.store import JobStatus, open_jobs
from aquadash.store.runs import KIND
from aquadash.work.processes import environment

_log = logging.getLogger("aquadash.cluster")

#: Seconds that a training has to end after SIGTERM.
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Plan:
    """One Dask worker."""

    #: The name of the worker, unique in the cluster.
    name: str
    #: Runs that it trains at once.
    slots: int
    #: The number of its graphics card; None for none.
    gpu: str | None
    #: The port that it listens at; 0 for any free one.
    port: int


def plan_workers(*, name: str | None, slots: int | None, gpus: str, port: int) -> list[Plan]:
    """Return the workers that this machine is to have: one for each graphics card, else one.

    Args:
        name: What to call them; the machine's name and some digits of its network card's number if left out.
        slots: Runs at once without graphics cards.
        gpus: ``auto``, ``none`` or numbers such as ``0,2``.
        port: The port of the first; 0 for any free ones.
    """
    name = name or settings.slots_name()
    cards = find_gpus() if gpus == "auto" else [] if gpus == "none" else [card.strip() for card in gpus.split(",")]
    if not all(card and card.replace("-", "").isalnum() for card in cards):
        raise ConfigError(f"--gpus is {gpus[:40]!r}; expected auto, none, or numbers such as 0,2.")
    if cards and slots is not None:
        raise ConfigError(
            f"--slots is for machines without graphics cards; each of the {len(cards)} cards here trains one run at a "
            "time. Leave it out, or use --gpus none."
        )
    if not cards:
        return [Plan(name, settings.slots() if slots is None else slots, None, port)]
    names = [name] if len(cards) == 1 else [f"{name}-gpu{card}" for card in cards]
    return [Plan(names[i], 1, card, port + i if port else 0) for i, card in enumerate(cards)]


def find_gpus() -> list[str]:
    """Return the graphics cards of ``CUDA_VISIBLE_DEVICES`` if it is set, else those that ``nvidia-smi`` lists."""
    visible = settings.visible_gpus()
    tool = shutil.which("nvidia-smi")
    if visible is not None or tool is None:
        return visible or []
    try:
        words = [tool, "--query-gpu=index", "--format=csv,noheader"]
        listed = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in listed.splitlines() if line.strip().isdigit()]


def run_workers(scheduler: str, plans: Sequence[Plan], *, host: str | None = None) -> None:
    """Work for the cluster until SIGTERM or Ctrl-C.

    Args:
        scheduler: The scheduler's address.
        plans: The workers.
        host: This machine's address as the scheduler sees it; None to let Dask find it.

    Raises:
        RunError: The scheduler refuses a worker, such as for its name.
    """
    if len(plans) > 1:
        _run_each(scheduler, plans, host)
        return
    (plan,) = plans
    os.environ |= {"AQUADASH_WORKER_NAME": plan.name, "AQUADASH_SLOTS": str(plan.slots)}
    # Without a card of its own a run must not take one that another worker has.
    os.environ["CUDA_VISIBLE_DEVICES"] = plan.gpu or "-1"
    try:
        asyncio.run(_work(scheduler, plan, host))
    finally:
        hand_over(plan.name)


def _run_each(scheduler: str, plans: Sequence[Plan], host: str | None) -> None:
    """Have a process for each worker, because CUDA takes a process's cards from its environment; end all with one."""
    processes = []
    for plan in plans:
        words = [sys.executable, "-m", "aquadash", "cluster", "worker", "--scheduler", scheduler, "--name", plan.name]
        words += ["--gpus", plan.gpu or "none", "--port", str(plan.port), *(["--host", host] if host else [])]
        # Ctrl-C reaches this process alone, which ends the others in order.
        processes.append(subprocess.Popen(words, cwd=settings.PROJECT_ROOT, env=environment(), start_new_session=True))
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        for process in processes:
            process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while all(process.poll() is None for process in processes):
        with contextlib.suppress(subprocess.TimeoutExpired):
            processes[0].wait(1.0)
    if not stopped:
        stop()
        raise RunError("One of the workers of this machine ended, so all were ended. Its last line says why.")
    for process in processes:
        process.wait()


async def _work(scheduler: str, plan: Plan, host: str | None) -> None:
    """Be a Dask worker, and a new one after the scheduler was away, until a signal comes."""
    from distributed import Worker

    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    stopped = asyncio.create_task(ending.wait())
    options: dict[str, Any] = {"host": host, "port": plan.port, "dashboard_address": "127.0.0.1:0", "memory_limit": 0}
    while not ending.is_set():
        worker = Worker(
            scheduler, name=plan.name, nthreads=plan.slots, resources={"GPU": 1} if plan.gpu else {}, **options
        )
        serving = asyncio.create_task(_serve(worker, plan.name))
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        if ending.is_set():
            await worker.close(timeout=2)
            serving.cancel()
            return
        # It raises where the scheduler refused the worker.
        await serving
        _log.warning("The connection to the scheduler %s is lost. This worker waits for it.", scheduler)


async def _serve(worker: Any, name: str) -> None:
    """Register with the scheduler, which may be away for long, and serve until the connection is lost."""
    try:
        await worker
    except (ValueError, RuntimeError) as error:
        reason = str(error.__cause__ or error)
        if "name taken" in reason:
            reason = f"it has a worker {name} already; give this one another --name"
        raise RunError(f"The scheduler refused this worker: {reason}.") from None
    _log.info("%s takes runs", name)
    await worker.finished()


def hand_over(name: str) -> None:
    """End the trainings of a worker of this machine, and put them back into the queue for the others."""
    try:
        jobs = open_jobs()
        running = [job for job in jobs.find(kind=KIND, status=[JobStatus.RUNNING]) if job.worker]
        for job in running:
            assert job.worker is not None
            if (job.worker.name, job.worker.host, job.worker.machine) != (name, *settings.this_machine()):
                continue
            _end(job.worker.pid)
            if jobs.requeue(job, f"The worker {name} was shut down", is_failure=False):
                _log.info("%s is handed over", job.id)
    except AquaDashError as error:
        _log.warning("Other workers take the runs of this one within a minute: %s", error)


def _end(pid: int) -> None:
    """End a training, unless the number belongs to another process by now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if pid == os.getpid() or not any("aquadash.work" in word for word in process.cmdline()):
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
