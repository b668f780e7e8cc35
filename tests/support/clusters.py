"""A cluster as people set it up: PostgreSQL, a scheduler, and machines that are network namespaces with one home."""

import contextlib
import os
import pwd
import re
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
import pytest
from distributed import LocalCluster

from aquadash import settings
from aquadash.cluster import checks
from aquadash.store import RunStatus, open_jobs
from aquadash.store.runs import KIND
from tests.support.serving import free_port, start_server
from tests.support.waiting import gone, wait_for

#: Debian keeps the server's programs out of the path, in a folder for each version.
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

#: PostgreSQL refuses to run as root; Debian's package makes this user.
_SERVER_USER = "postgres"


def have_database_problem(patch: pytest.MonkeyPatch, problem: str) -> None:
    """Let this be wrong with the database for a cluster; an empty text is nothing."""
    patch.setattr(checks, "database_problem", lambda: problem)


def be_impatient(patch: pytest.MonkeyPatch) -> None:
    """Wait for a scheduler that is away for half a second, and look at it often."""
    for name, seconds in (("CONNECT", 0.5), ("LOOK", 0.2)):
        patch.setattr(checks, f"{name}_SECONDS", seconds)


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


def namespaces_missing() -> str:
    """Return why no network namespace can be made here, or an empty text."""
    if not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
        return "network namespaces need Debian's packages iproute2 and util-linux"
    name = f"aqd{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode:
        return f"no network namespace can be made: {made.stderr.strip() or 'only root may'}"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return ""


@contextmanager
def postgresql(*, listen: str = "127.0.0.1") -> Iterator[str]:
    """A PostgreSQL server with an empty database, without a password; yields its address."""
    programs, owner = _POSTGRES[-1].parent, {}
    # Not in pytest's folder, which is for its owner alone.
    with tempfile.TemporaryDirectory(prefix="aquadash-postgresql-") as name:
        folder = Path(name)
        if os.getuid() == 0:
            shutil.chown(folder, _SERVER_USER, _SERVER_USER)
            owner = {"user": _SERVER_USER, "group": _SERVER_USER, "extra_groups": []}
        data, port, log = folder / "data", free_port(), folder / "postgres.log"
        initdb = [programs / "initdb", "-D", data, "-U", "aquadash", "-A", "trust", "--no-sync", "-E", "UTF8"]
        assert start_server(initdb, log, cwd=folder, **owner).wait(60) == 0, log.read_text()
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        postgres = [programs / "postgres", "-D", data, "-h", listen, "-p", str(port), "-k", folder, "-F"]
        server = start_server(postgres, log, cwd=folder, start_new_session=True, **owner)
        try:
            made = [programs / "createdb", "-h", listen, "-p", str(port), "-U", "aquadash", "aquadash"]
            wait_for(
                lambda: subprocess.run(made, capture_output=True, timeout=30).returncode == 0,
                timeout=30,
                saying=lambda: log.read_text()[-2000:],
            )
            yield f"postgresql://aquadash@{listen}:{port}/aquadash"
        finally:
            server.send_signal(signal.SIGQUIT)  # "Immediate shutdown" waits for no client.
            server.wait(20)


def dask_workers(monkeypatch: pytest.MonkeyPatch, workers: int = 1, slots: int = 1, **options: object) -> LocalCluster:
    """A scheduler, at the address that the environment names if it does, and plain Dask workers in this process."""
    # The plugin of a worker sets these for the process that it is in.
    for name in ("AQUADASH_WORKER_NAME", "AQUADASH_SLOTS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=slots,
        processes=False,
        protocol="tcp://",
        memory_limit=0,
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        scheduler_port=int((settings.scheduler_address() or "0").rpartition(":")[2]),
        **{"preload": ["aquadash.cluster.plugin"]} | options,
    )


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=30)


@contextmanager
def network(count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """A network of this machine and some namespaces; yields this machine's address in it, and theirs by name."""
    number = os.getpid()
    subnet, bridge = f"10.78.{number % 250}", f"aqb{number}"
    addresses = {f"aq{number}-{i}": f"{subnet}.{i + 11}" for i in range(count)}
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("address", "add", f"{subnet}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for i, (name, address) in enumerate(addresses.items()):
            _ip("netns", "add", name)
            _ip("link", "add", f"aqv{number}-{i}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"aqv{number}-{i}", "master", bridge, "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                _ip("-n", name, "link", "set", device, "up")
        yield f"{subnet}.1", addresses
    finally:
        for words in (*(("netns", "delete", name) for name in addresses), ("link", "delete", bridge)):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip(*words)


#: The first process of a machine: it names the machine, and goes on when a worker is killed.
_INIT = "hostname lab; while :; do sleep 3600 & wait $!; done"


@dataclass
class Machine:
    """A machine with network, host name and processes of its own. All machines have the host name ``lab``."""

    #: That of its network.
    namespace: str
    address: str
    #: The output of its worker.
    log: Path
    #: The environment variables of its worker.
    environment: dict[str, str]
    _power: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        """Switch it on."""
        # The init of a process namespace takes all others with it when it ends.
        words = ["ip", "netns", "exec", self.namespace, "unshare", "--uts", "--pid", "--fork", "--mount-proc"]
        self._power = subprocess.Popen([*words, "sh", "-c", _INIT], stdin=subprocess.DEVNULL)
        wait_for(lambda: psutil.Process(self._power.pid).children())

    @property
    def _init(self) -> psutil.Process:
        assert self._power is not None
        return psutil.Process(self._power.pid).children()[0]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of AquaDash on it to its end."""
        options = {"cwd": settings.PROJECT_ROOT, "env": self.environment, "timeout": 120}
        return subprocess.run(self._words(*words), capture_output=True, text=True, **options)

    def start_worker(self, *words: str) -> None:
        """Start its worker, and wait until it takes runs."""
        before = self._taking()
        command = self._words("cluster", "worker", *words)
        start_server(command, self.log, cwd=settings.PROJECT_ROOT, env=self.environment)
        wait_for(lambda: self._taking() > before, saying=self.log.read_text)

    def _words(self, *words: str) -> list[str]:
        entered = ["nsenter", "--target", str(self._init.pid), "--net", "--uts", "--pid", "--mount"]
        return [*entered, f"--wd={settings.PROJECT_ROOT}", sys.executable, "-m", "aquadash", *words]

    def _taking(self) -> int:
        return self.log.read_text().count("takes runs") if self.log.exists() else 0

    def processes(self) -> dict[int, psutil.Process]:
        """Its processes by the numbers that they have on it."""
        namespace = os.readlink(f"/proc/{self._init.pid}/ns/pid")
        processes = {}
        for process in psutil.process_iter():
            with contextlib.suppress(OSError, psutil.Error):
                if os.readlink(f"/proc/{process.pid}/ns/pid") == namespace:
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    numbers = re.search(r"^NSpid:\t(.*)$", status, re.MULTILINE)[1]
                    processes[int(numbers.split()[-1])] = process
        return processes

    @property
    def worker(self) -> psutil.Process:
        """The process of its worker."""
        return next(one for one in self.processes().values() if {"cluster", "worker"} <= {*one.cmdline()})

    def trainings(self) -> list[psutil.Process]:
        """Its processes that train, by the database that this process's environment names."""
        running = [job.worker for job in open_jobs().find(kind=KIND, status=[RunStatus.RUNNING]) if job.worker]
        processes, log = self.processes(), self.log.read_text()
        return [processes[one.pid] for one in running if one.name in log and one.pid in processes]

    def cut_power(self) -> None:
        """End everything on it at once."""
        if self._power and self._power.poll() is None:
            self._init.kill()
            self._power.wait(10)

    def shut_worker_down(self) -> None:
        """End the worker as systemd does, and wait for its end."""
        worker = self.worker
        worker.terminate()
        wait_for(lambda: gone(worker.pid))


@dataclass
class Cluster:
    """The scheduler and its machines."""

    #: This machine's address, at which the scheduler listens.
    host: str
    #: For logs.
    folder: Path
    machines: list[Machine]
    port: int = field(default_factory=free_port)
    _scheduler: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return f"tcp://{self.host}:{self.port}"

    def start_scheduler(self) -> None:
        """Start it, or start it again at the same port."""
        words = ["cluster", "scheduler", "--host", self.host, "--port", str(self.port)]
        command = [sys.executable, "-m", "aquadash", *words]
        self._scheduler = start_server(command, self.folder / "scheduler.log", cwd=settings.PROJECT_ROOT)

    def kill_scheduler(self) -> None:
        """Lose it and all that it knows."""
        if self._scheduler is not None:
            self._scheduler.kill()
            self._scheduler.wait(10)

    def close(self) -> None:
        """End everything."""
        for machine in self.machines:
            machine.cut_power()
        self.kill_scheduler()

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"== {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.folder.glob("*.log")))
