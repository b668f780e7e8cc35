"""``cluster``: the machines that train, when there are more than one. docs/cluster.md says how they are set up."""

import importlib.util
import logging
import sys
from typing import Any

import click

from aquadash import settings
from aquadash.cli.output import Group, Shown, print_result
from aquadash.cluster import DASK_MISSING
from aquadash.errors import ConfigError, RunError

scheduler_option = click.option("--scheduler", metavar="ADDRESS", help="tcp://host:port; default: AQUADASH_SCHEDULER.")


@click.group(cls=Group)
def cluster() -> None:
    """More than one machine: one schedules, the others train."""
    if importlib.util.find_spec("distributed") is None:
        raise ConfigError(DASK_MISSING)


@cluster.command()
@click.option("--host", default="127.0.0.1", help="The address to listen at.")
@click.option("--port", default=8786, type=click.IntRange(1, 65535), help="The port to listen at.")
def scheduler(host: str, port: int) -> None:
    """Start Dask's scheduler here, until Ctrl-C. It has no password: every client can run code on all workers."""
    from aquadash.cluster.services import become_scheduler, scheduler_address

    address = scheduler_address(host, port)
    print_result({"scheduler": address}, f"Workers and the app reach this scheduler as {address}")
    sys.stdout.flush()
    become_scheduler(host, port)


@cluster.command()
@scheduler_option
@click.option("--slots", type=click.IntRange(1, 64), help="Runs at once; AQUADASH_SLOTS if left out, 1 with a card.")
@click.option("--gpu", help="The graphics card's number, or none; the first one if left out; one worker a card.")
@click.option("--name", help="The worker's name; if left out, the machine's name with a part of its number.")
@click.option("--host", help="This machine's address as the scheduler sees it; found if left out.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port to listen at; 0 is any free one.")
@click.option("--check", "only_check", is_flag=True, help="Only check this machine's setup.")
def worker(
    scheduler: str | None, slots: int | None, gpu: str | None, name: str | None, only_check: bool, **listen: Any
) -> None:
    """Train runs of the cluster on this machine, until Ctrl-C; its runs are then handed over to other workers."""
    from aquadash.cluster.checks import check_machine
    from aquadash.cluster.services import find_gpu, run_worker

    address = _address(scheduler)
    card = find_gpu() if gpu is None else gpu.replace("none", "")
    name = name or settings.slots_name() + (f"-gpu{card}" if card else "")
    checks = check_machine(address)
    for check in checks:
        if not check.problem:
            click.echo(f"{check.what}: {check.note}", err=True)
    if problems := [check.problem for check in checks if check.problem]:
        raise RunError(" ".join(problems))
    print_result({"scheduler": address, "worker": name}, f"All is well: {name}")
    if only_check:
        return
    sys.stdout.flush()
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s aquadash %(levelname)s %(message)s", datefmt="%H:%M:%S"
    )
    logging.getLogger("aquadash").setLevel(logging.INFO)
    run_worker(address, name=name, slots=slots or (1 if card else settings.slots()), gpu=card, **listen)


@cluster.command()
@scheduler_option
def status(scheduler: str | None) -> None:
    """Show the workers, what they train, and what is wrong."""
    from aquadash.cluster.checks import cluster_status

    values = cluster_status(_address(scheduler))
    print_result(
        values,
        *map(Shown, ("scheduler", "database", "home")),
        Shown("workers", "name", "busy", "slots", "gpu", "version", "home"),
        Shown("runs", "run_id", "name", "status", "worker", "message"),
        *(f"Problem: {problem}" for problem in values["problems"]),
    )


def _address(option: str | None) -> str:
    address = option or settings.scheduler_address()
    if address is None:
        raise ConfigError("No scheduler is named. Give --scheduler tcp://host:8786, or set AQUADASH_SCHEDULER.")
    return address
