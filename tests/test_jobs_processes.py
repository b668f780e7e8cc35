"""Processes in the background: they do not inherit that the pages step back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# In a process of its own: a thread's priority cannot be raised again.
_SCRIPT = """
import os, subprocess, sys, threading
from pathlib import Path
from aquadash.jobs import processes

def niceness(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)

before = niceness(0)
real = subprocess.Popen
subprocess.Popen = lambda words, **more: real([sys.executable, "-c", "input()"], **(more | {"stdin": subprocess.PIPE}))
if "back" in sys.argv:
    processes.step_back(3)
seen = [niceness(0) - before]
thread = threading.Thread(target=lambda: seen.append(niceness(threading.get_native_id()) - before))
thread.start(); thread.join()
process = processes.start_detached(["nothing"], log_path=Path(sys.argv[1]))
seen.append(niceness(process.pid) - before)
process.communicate(b"\\n")
print(*seen)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a priority belongs to the whole process")
@pytest.mark.parametrize(("words", "expected"), [(["back"], "3 3 0"), ([], "0 0 0")])
def test_pages_step_back_and_what_they_start_does_not(tmp_path: Path, words: list[str], expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "log"), *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.split() == expected.split(), done.stderr
