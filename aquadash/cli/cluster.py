"""``cluster``: the machines that train, when there are more than one. docs/cluster.md says how they are set up."""

from __future__ import annotations

import logging
import os
import signal
import sys

import click

from aquadash import settings
from aquadash.cli.output import Group, Shown, print_result
from aquadash.errors import ConfigError, RunError

scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="The scheduler, as tcp://host:port; AQUADASH_SCHEDULER if left out."
)


@click.group(cls=Group)
def cluster() -> None:
    """More than one machine: one schedules, the others train."""


@cluster.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8786, show_default=True, type=click.IntRange(1, 65535), help="The port to listen at.")
def scheduler(host: str, port: int) -> None:
    """Start Dask's scheduler here, until Ctrl-C. Whoever reaches its port can run programs on all workers."""
    words = [sys.executable, "-m", "dask", "scheduler", "--host", host, "--port", str(port)]
    words += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0", "--no-show"]
    # A worker without a sign of life for so long is given up. If it lives after all, it joins again, and its trainings
    # have gone on.
    os.environ.setdefault("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "15s")
    from aquadash.cluster.connecting import scheme

    address = f"{scheme()}://{host}:{port}"
    print_result({"scheduler": address}, f"Workers and the app reach this scheduler as {address}")
    sys.stdout.flush()
    os.chdir(settings.PROJECT_ROOT)
    os.execv(sys.executable, words)


@cluster.command()
@scheduler_option
@click.option("--slots", type=click.IntRange(1, 64), help="Runs at once without graphics cards; AQUADASH_SLOTS if not.")
@click.option(
    "--gpus", default="auto", show_default=True, help="auto: one worker for each card; none; or numbers such as 0,2."
)
@click.option("--name", help="What to call this worker; the machine's name if left out.")
@click.option("--host", help="This machine's address as the scheduler sees it; found if left out.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Where it listens; any free port if left out.")
@click.option("--check", "only_check", is_flag=True, help="Only look whether all is well.")
def worker(
    scheduler: str | None,
    slots: int | None,
    gpus: str,
    name: str | None,
    host: str | None,
    port: int,
    only_check: bool,
) -> None:
    """Train runs of the cluster on this machine, until Ctrl-C; its runs are then handed over to other workers."""
    from aquadash.cluster.checks import check_machine
    from aquadash.cluster.worker import ClusterWorker, plan_workers

    address = _address(scheduler)
    processes = plan_workers(name=name, slots=slots, gpus=gpus, port=port)
    checks = check_machine(address)
    problems = [check.problem for check in checks if check.problem]
    for check in checks:
        click.echo(f"{check.what}: {check.problem or check.note}", err=True)
    if problems:
        raise RunError(" ".join(problems))
    values = {"scheduler": address, "workers": [process.name for process in processes]}
    print_result(values, "All is well: " + ", ".join(values["workers"]))
    if only_check:
        return
    sys.stdout.flush()
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s aquadash %(levelname)s %(message)s", datefmt="%H:%M:%S"
    )
    logging.getLogger("aquadash.cluster").setLevel(logging.INFO)
    running = ClusterWorker(address, processes, host=host)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.end())
    running.run()


@cluster.command()
@scheduler_option
def status(scheduler: str | None) -> None:
    """Show the workers, what they train, and what is wrong."""
    from aquadash.cluster import checks

    named_by = "--scheduler" if scheduler else "AQUADASH_SCHEDULER"
    values = checks.status(_address(scheduler), named_by=named_by)
    print_result(
        values,
        *map(Shown, ("scheduler", "store", "database")),
        Shown("workers", "name", "host", "busy", "slots", "gpu", "home"),
        Shown("runs", "run_id", "name", "status", "host", "message"),
        *(f"Problem: {problem}" for problem in values["problems"]),
    )


def _address(given: str | None) -> str:
    address = given or settings.scheduler_address()
    if address is None:
        raise ConfigError("No scheduler is named. Give --scheduler tcp://host:8786, or set AQUADASH_SCHEDULER.")
    return address
