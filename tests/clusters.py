"""A cluster as people set it up, all of it separate processes on loopback: PostgreSQL, Dask, workers with one home."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from sqlalchemy import make_url

from aquadash import settings
from aquadash.store import JobStatus, open_jobs
from aquadash.store.runs import KIND
from tests.serving import free_port
from tests.waiting import wait_for

#: Debian keeps the server's programs out of the path, in a folder for each version.
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

#: An environment variable that all processes of one machine have.
_MACHINE = "AQUADASH_TEST_MACHINE"

#: Refuses to run as root; Debian's package makes this user.
_SERVER_USER = "postgres"


def _postgres_missing() -> str:
    if not _POSTGRES:
        return "PostgreSQL is not installed (Debian's package postgresql)"
    if os.getuid() == 0:
        try:
            pwd.getpwnam(_SERVER_USER)
        except KeyError:
            return f"PostgreSQL does not run as root, and there is no user {_SERVER_USER}"
    return ""


MISSING = _postgres_missing()


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server with an empty database, without a password, for this machine only; yields its address."""
    programs = _POSTGRES[-1].parent
    as_user = (
        ["setpriv", "--reuid", _SERVER_USER, "--regid", _SERVER_USER, "--clear-groups"] if os.getuid() == 0 else []
    )
    # Not in pytest's folder, which is for its owner alone.
    with tempfile.TemporaryDirectory(prefix="aquadash-postgresql-") as name:
        folder = Path(name)
        if as_user:
            shutil.chown(folder, _SERVER_USER, _SERVER_USER)
        data, port, log = folder / "data", free_port(), folder / "postgres.log"
        with log.open("wb") as output:
            subprocess.run(
                [*as_user, programs / "initdb", "-D", data, "-U", "aquadash", "-A", "trust", "--no-sync", "-E", "UTF8"],
                cwd=folder, stdout=output, stderr=output, check=True, timeout=60,
            )  # fmt: skip
            server = subprocess.Popen(
                [*as_user, programs / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder, "-F"],
                cwd=folder, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            made = [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "aquadash", "aquadash"]
            wait_for(
                lambda: subprocess.run(made, capture_output=True, timeout=30).returncode == 0,
                timeout=30,
                saying=lambda: log.read_text()[-2000:],
            )
            yield f"postgresql://aquadash@127.0.0.1:{port}/aquadash"
        finally:
            server.send_signal(signal.SIGINT)  # "fast shutdown": does not wait for clients
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def another_database(address: str, name: str) -> str:
    """Make an empty database on the same server; returns its address."""
    server = make_url(address)
    made = [_POSTGRES[-1].parent / "createdb", "-h", str(server.host), "-p", str(server.port), "-U", "aquadash", name]
    subprocess.run(made, check=True, capture_output=True, timeout=30)
    return f"{address.rpartition('/')[0]}/{name}"


@dataclass
class Machine:
    """A worker machine of the cluster: a process tree.

    Attributes:
        name: What the cluster calls it.
        log: What its processes print.
        process: ``aquadash cluster worker``.
    """

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def dask_worker(self) -> psutil.Process:
        """Its process of Dask."""
        return next(one for one in psutil.Process(self.process.pid).children() if "dask" in one.cmdline())

    def registrations(self) -> int:
        """How often its worker has joined the cluster."""
        return self.log.read_text().count("Registered to:")

    def processes(self) -> list[psutil.Process]:
        """All of it, those whose parents are gone, too."""
        found = []
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if one.environ().get(_MACHINE) == str(self.log):
                    found.append(one)
        return found

    def trainings(self) -> list[psutil.Process]:
        """Its processes that train, by the table of jobs that the environment names."""
        running = open_jobs().find(kind=KIND, status=(JobStatus.RUNNING,))
        pids = {job.worker.pid for job in running if job.worker is not None}
        return [one for one in self.processes() if one.pid in pids]

    def lose(self) -> None:
        """Kill everything of it at once, as a power cut does."""
        for one in self.processes():
            one.kill()
        self.process.wait(10)

    def shut_down(self) -> None:
        """Take it out of the cluster as a person does."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


@dataclass
class Cluster:
    """The scheduler and its machines.

    Attributes:
        store: The address of the run store.
        database: That of the jobs.
        home: The ``AQUADASH_HOME`` of all.
        folder: For logs.
        port: The scheduler's.
        machines: Those that were started, by name.
    """

    store: str
    database: str
    home: Path
    folder: Path
    port: int = field(default_factory=free_port)
    machines: dict[str, Machine] = field(default_factory=dict)
    _scheduler: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        """Start it, or start it again at the same port."""
        with (self.folder / "scheduler.log").open("ab") as log:
            self._scheduler = subprocess.Popen(
                [sys.executable, "-m", "aquadash", "cluster", "scheduler", "--port", str(self.port)],
                cwd=settings.PROJECT_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def kill_scheduler(self) -> None:
        """Lose it and all that it knows."""
        if self._scheduler is not None:
            self._scheduler.kill()
            self._scheduler.wait(10)

    def start(self, name: str, *, slots: int = 1, **environment: str) -> Machine:
        """Start a machine's worker.

        Args:
            name: What to call it.
            slots: Runs at once.
            environment: More of its environment variables.
        """
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "aquadash", "cluster", "worker", "--scheduler", self.address,
                    "--name", name, "--host", "127.0.0.1", "--gpus", "none", "--slots", str(slots),
                ],
                cwd=settings.PROJECT_ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={
                    **os.environ,
                    "AQUADASH_HOME": str(self.home),
                    _MACHINE: str(log),
                    "MLFLOW_TRACKING_URI": self.store,
                    "AQUADASH_DATABASE": self.database,
                    **environment,
                },
                start_new_session=True,
            )  # fmt: skip
        self.machines[name] = Machine(name, log, process)
        return self.machines[name]

    def close(self) -> None:
        """End whatever is left of it."""
        for machine in self.machines.values():
            machine.shut_down()
            for one in machine.processes():
                one.kill()
        self.kill_scheduler()

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log")))
