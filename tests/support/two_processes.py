"""Two processes that run the same code at the same moment."""

import subprocess
import sys
from collections.abc import Callable

from aquadash import settings


def start_two(setup: str, work: str) -> Callable[[], list[str]]:
    """Start two processes that run ``setup``; return a function that has both run ``work`` and returns their output."""
    code = f'{setup}\nprint("ready", flush=True)\ninput()\n{work}'
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=settings.PROJECT_ROOT,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"

    def run_work() -> list[str]:
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0]
        return outputs

    return run_work
