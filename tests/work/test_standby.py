"""The process that stands by: it forks workers, reports how they end, and ends when it is not needed."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from aquadash import settings
from aquadash.store import Job, RunStatus, Worker, open_jobs
from aquadash.store.kinds import KINDS, JobKind
from aquadash.work import processes, standby
from aquadash.work.standby import Standby, WorkerProcess
from tests.support.waiting import gone, wait_for

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="elsewhere no process is forked, or steps back"
)

#: Python imports this at the start of every process that is started here: the only kind's work waits for a file.
_SITE = """
from aquadash.store import kinds
kinds.KINDS.clear()
kinds.KINDS["nap"] = kinds.JobKind("nap", "nap", "naps:work", prepare="naps:prepare", slots=8)
"""

_NAPS = """
import os, time
from pathlib import Path
from aquadash import settings
from aquadash.work import worker  # Imported before the fork.

prepared_in = 0

def prepare():
    global prepared_in
    prepared_in = os.getpid()

def work(job):
    print("good night", flush=True)
    while not Path(job.request["until"]).exists():
        job.report("napping")
        time.sleep(0.02)
    return {"prepared_in": prepared_in, "home": str(settings.home()), "dream": os.environ.get("DREAM", "")}
"""


@pytest.fixture(autouse=True)
def naps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "naps"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITE)
    (folder / "naps.py").write_text(_NAPS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(settings.PROJECT_ROOT)]))
    monkeypatch.setitem(KINDS, "nap", JobKind("nap", "nap", "naps:work", prepare="naps:prepare", slots=8))


#: As the kind of these tests, but for what takes long to import.
NOTHING_TO_IMPORT = JobKind("nap", "nap", "naps:work", slots=8)


@pytest.fixture
def by(home: Path) -> Iterator[Standby]:
    """A process that no other test uses. Its workers end with the test."""
    by = Standby()
    yield by
    by.close()
    for job in open_jobs().find(kind="nap", status=(RunStatus.RUNNING,)):
        if processes.is_worker(job.worker.pid):
            psutil.Process(job.worker.pid).kill()


@pytest.fixture
def until(tmp_path: Path) -> Path:
    """Where naps end."""
    return tmp_path / "until"


def nap(by: Standby, until: Path, run: str = "r1") -> WorkerProcess:
    """Submit a nap and launch its worker."""
    open_jobs().submit("nap", run, {"until": str(until)})
    job = open_jobs().claim(["nap"], Worker("here", 1))
    return by.launch(["nap", job.id, str(job.attempt)], log_path=settings.job_log("nap"))


def napping(run: str = "r1") -> Job:
    def there() -> Job | None:
        job = open_jobs().get(f"nap-{run}")
        is_begun = job is not None and job.status is RunStatus.RUNNING and processes.is_worker(job.worker.pid)
        return job if is_begun else None

    return wait_for(there, saying=lambda: (settings.home() / "logs" / "standby.log").read_text())


def woken(process: WorkerProcess, run: str = "r1") -> dict[str, Any]:
    """Return the result of the sleeping job after its worker has ended."""
    assert wait_for(lambda: process.wait(1) == 0)
    assert process.wait(0) == 0, "the exit status can be read again"
    job = open_jobs().get(f"nap-{run}")
    assert job.status is RunStatus.FINISHED, job
    return job.result


def test_a_worker_has_imports_and_environment_and_one_without_imports_needs_no_standby_process(
    by: Standby, until: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, "nap", NOTHING_TO_IMPORT)
        process = nap(by, until, "r0")
        pid = napping("r0").worker.pid
    assert by.pid is None and os.getsid(pid) == pid, "Ctrl-C does not reach it"
    until.touch()
    woken(process, "r0")
    until.unlink()
    assert by.keep_ready() and by.keep_ready()
    parent = by.pid
    # Another home than the one in which the process was started.
    monkeypatch.setenv("AQUADASH_HOME", str(tmp_path / "another"))
    monkeypatch.setenv("DREAM", "of fish")
    process = nap(by, until)
    job = napping()
    assert job.worker.pid == process.pid != parent
    assert os.getsid(job.worker.pid) == job.worker.pid, "Ctrl-C does not reach it"
    assert process.wait(0) is None
    until.touch()
    assert woken(process) == {"prepared_in": parent, "home": str(tmp_path / "another"), "dream": "of fish"}
    assert "good night" in settings.job_log("nap-r1").read_text()
    monkeypatch.setitem(KINDS, "nap", NOTHING_TO_IMPORT)
    assert woken(nap(by, until, "r2"), "r2")["prepared_in"] == parent == by.pid, (
        "a kind that needs nothing imported is forked, too"
    )


def test_a_worker_that_fails_says_so_and_why_in_its_log(by: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AQUADASH_DATABASE", "no database")
        failed = by.launch(["nap", "nap-r1", "1"], log_path=settings.job_log("nap"))
    assert wait_for(lambda: failed.wait(1)) == 1
    assert "which is no database" in settings.job_log("nap").read_text()


def test_a_worker_outlives_the_process_that_forked_it(by: Standby, until: Path) -> None:
    process = nap(by, until)
    job = napping()
    os.kill(by.pid, signal.SIGKILL)
    wait_for(lambda: by.pid is None)
    assert process.wait(0.2) is None, "it is still at work"
    until.touch()
    # How it ended is known to the table alone.
    assert wait_for(lambda: process.wait(1)) == 1
    assert open_jobs().get(job.id).status is RunStatus.FINISHED
    again = nap(by, until, "r2")
    assert woken(again, "r2")["prepared_in"] == by.pid, "it is forked from a new standby process"


_APP = """
import sys
from aquadash.store import Worker, open_jobs
from aquadash.work.standby import STANDBY
from aquadash import settings
open_jobs().submit("nap", "r1", {"until": sys.argv[1]})
job = open_jobs().claim(["nap"], Worker("here", 1))
STANDBY.launch(["nap", job.id, str(job.attempt)], log_path=settings.job_log("nap"))
print(STANDBY.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_its_parent_and_the_worker_goes_on(home: Path, until: Path) -> None:
    words = [sys.executable, "-c", _APP, str(until)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        by = int(app.stdout.readline())
        job = napping()
        app.kill()
    wait_for(lambda: gone(by))
    assert psutil.pid_exists(job.worker.pid)
    until.touch()
    wait_for(lambda: open_jobs().get(job.id).status is RunStatus.FINISHED)


def test_it_ends_when_nothing_is_launched_for_long(by: Standby, until: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "IDLE_SECONDS", 0.5)
    process = nap(by, until)
    napping()
    first = by.pid
    time.sleep(1.5)  # No event can be awaited: the process must not end.
    assert not gone(first), "it must not end while one of its workers runs"
    until.touch()
    woken(process)
    wait_for(lambda: gone(first))


@pytest.mark.parametrize(("name", "value"), [("MIN_FREE_MEMORY", 2**60), ("CAN_FORK", False)])
def test_none_starts_without_memory_or_fork(
    by: Standby, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    modules: list[str] = []
    monkeypatch.setattr(standby, name, value)
    monkeypatch.setattr(standby.processes, "start_detached", lambda module, *_, **__: modules.append(module))
    by.launch(["nap"], log_path=settings.job_log("nap"))
    assert modules == ["aquadash.work.worker"], "it is a process of its own"
    assert not by.keep_ready()


def test_a_process_that_never_starts_has_failed(by: Standby, until: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]) / "naps.py").write_text("raise ImportError('no naps')")
    process = nap(by, until)
    assert wait_for(lambda: process.wait(1)) == 1 and process.pid is None
    log = settings.home() / "logs" / "standby.log"
    assert "no naps" in log.read_text()


def test_the_limit_of_open_files_is_raised_as_far_as_it_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
        processes.raise_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# In a process of its own: a thread's priority cannot be raised again.
_STEPS_BACK = """
import sys
from pathlib import Path
from aquadash.work import processes

processes.step_back(3)
processes.start_detached("niceness", [], log_path=Path(sys.argv[1])).wait()
import niceness
"""


def test_pages_step_back_and_what_they_start_does_not(tmp_path: Path) -> None:
    (tmp_path / "naps" / "niceness.py").write_text("import os\nprint(os.nice(0))")
    before, log = os.nice(0), tmp_path / "log"
    done = subprocess.run([sys.executable, "-c", _STEPS_BACK, log], capture_output=True, text=True)
    assert (log.read_text(), done.stdout) == (f"{before}\n", f"{before + 3}\n"), done.stderr
