"""Commands in processes of their own that are to be interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from aquadash import settings


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start ``python -m aquadash`` so that SIGINT stops it.

    Tests that a shell runs in the background ignore SIGINT, and so would what they start.

    Args:
        arguments: The command's.
        options: For ``subprocess.Popen``.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "aquadash", *arguments],
        text=True,
        cwd=settings.PROJECT_ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **options,
    )
