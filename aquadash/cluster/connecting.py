"""A client of Dask's scheduler: of one made inside this process, or of a cluster's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aquadash import settings
from aquadash.errors import RunError

if TYPE_CHECKING:
    from distributed import Client

#: How long to wait for a scheduler that ``AQUADASH_SCHEDULER`` names.
CONNECT_SECONDS = 10


def connect() -> Client:
    """A client of the named scheduler, or of one made inside this process.

    Raises:
        RunError: The named scheduler does not answer.
    """
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.ERROR)
    address = settings.scheduler_address()
    if address is None:
        # One in-process worker whose threads are the slots; each only waits for a process, so nothing needs profiling,
        # and that scheduler and worker look at themselves 50 times a second is a tenth of a class's cost.
        # It is not given up for silence: where this process was suspended for minutes, none would take its place.
        dask.config.set({
            "distributed.admin.tick.interval": "1s",
            "distributed.admin.system-monitor.interval": "10s",
            "distributed.worker.profile.enabled": False,
            "distributed.scheduler.worker-ttl": None,
        })  # fmt: skip
        cluster = LocalCluster(
            n_workers=1,
            threads_per_worker=settings.slots(),
            processes=False,
            # Dask always serves HTTP, and by default to the whole network.
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,
        )
        return Client(cluster, set_as_default=False)
    return connect_to(address, "AQUADASH_SCHEDULER")


def connect_to(address: str, named_by: str) -> Client:
    """A client of a cluster's scheduler."""
    from distributed import Client
    from distributed.security import Security

    if address.startswith("tls://") and Security().get_connection_args("client").get("ssl_context") is None:
        raise RunError(
            f"The Dask scheduler {address!r} of {named_by} wants a certificate, and none is set here. docs/cluster.md "
            "has the settings."
        )
    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RunError(
            f"The Dask scheduler {address!r} of {named_by} does not answer ({error}). Start it with "
            "`.venv/bin/python -m aquadash cluster scheduler`, correct the address (tcp://host:port, or tls:// where "
            "it wants certificates), or unset the variable to train on this machine."
        ) from None


def scheme() -> str:
    """How a scheduler started here is reached: ``"tls"`` where Dask's settings ask for encryption, else ``"tcp"``."""
    from distributed.security import Security

    return "tls" if Security().require_encryption else "tcp"


def usable(client: Client) -> bool:
    """Whether a client has a scheduler, or is about to have it again."""
    return client.status in ("running", "connecting", "newly-connected")
