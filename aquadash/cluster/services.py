"""The scheduler, and the units of systemd that start scheduler and worker with their machines."""

from __future__ import annotations

import getpass
import os
import sys
from typing import NoReturn
from urllib.parse import urlsplit

from aquadash import settings
from aquadash.errors import ConfigError

_UNIT = """\
[Unit]
Description=AquaDash: {title}
Wants=network-online.target
After=network-online.target
{mounts}
[Service]
User={user}
WorkingDirectory={folder}
{variables}
ExecStart={python} -m aquadash cluster {words}
Restart=always
RestartSec=5
# The worker hands its trainings over before it ends; what it leaves behind is killed.
KillMode=mixed

[Install]
WantedBy=multi-user.target
"""

#: Variables that a unit has from the shell in which it is printed, besides the paths.
_VARIABLES = ("AQUADASH_DATABASE", "AQUADASH_SLOTS", "MLFLOW_TRACKING_URI")


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


def systemd_units(scheduler: str) -> dict[str, str]:
    """Return the units by the names of their files."""
    parts = urlsplit(scheduler)
    if not parts.hostname or not parts.port:
        raise ConfigError(f"The scheduler {scheduler} has no host and port. Expected such as tcp://10.0.0.1:8786.")
    variables = settings.whole_paths() | {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)}
    # Dask's own settings, such as certificates.
    variables |= {name: value for name, value in os.environ.items() if name.startswith("DASK_DISTRIBUTED__")}
    common = {
        "user": getpass.getuser(),
        "folder": settings.PROJECT_ROOT,
        "python": sys.executable,
        "variables": "\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()),
    }
    listens = f"scheduler --host {parts.hostname} --port {parts.port}"
    return {
        "aquadash-scheduler.service": _UNIT.format(title="scheduler", mounts="", words=listens, **common),
        "aquadash-worker@.service": _UNIT.format(
            title="worker %i",
            mounts=f"RequiresMountsFor={settings.home()}\n",
            words=f"worker --scheduler {scheduler} --gpu %i",
            **common,
        ),
    }


def _quoted(text: str) -> str:
    """Quote for systemd, which expands ``%``."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
