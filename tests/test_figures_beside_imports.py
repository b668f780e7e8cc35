"""Pages are drawn by several threads, which import libraries beside one another."""

from __future__ import annotations

import subprocess
import sys

#: Another thread is half way through importing pandas, and goes on a second later, while this one draws a figure.
_CODE = """
import sys, threading, time

half = threading.Event()

class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "pandas.core.api":
            half.set()
            time.sleep(1)

sys.meta_path.insert(0, Slow)
thread = threading.Thread(target=__import__, args=("pandas",))
thread.start()
assert half.wait(60)
from aquadash.figures.theme import empty_figure
empty_figure("Nothing yet.")
thread.join()
"""


def test_a_figure_waits_for_what_another_thread_imports() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
