"""The process that draws training images ahead, started by :mod:`aquadash.training.drawing`.

It is told the plan and the originals' shape, then an epoch to draw with its seed and slot, which takes the place of one
that is not drawn yet, and ``{"hurry": n}`` when the training waits for epoch n. It answers ``{"epoch": n}`` when the
images are there, or ``{"error": ...}``, and to whoever waits how far it is. It ends when the other end of its pipe
closes, which it does when the training process ends, however that comes about.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

#: While the training computes, drawing takes only what it leaves: at 5, epochs of the report's network were up to a
#: fifth longer on two cores. Where other programs take both cores nothing is left, so drawing goes on at the training's
#: priority once that waits: epochs then took 1.13 times as long as with fixed copies, and 4.3 times without it.
_NICENESS = 19

#: Between two words on how far it is, in seconds.
_TELL_SECONDS = 0.25


def main(file: int, pipe: int) -> None:
    """Serve until the other end closes.

    Args:
        file: The descriptor of the shared memory.
        pipe: That of this end of the pipe.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print is for the log.
    os.dup2(2, 1)
    with contextlib.suppress(EOFError, OSError), Connection(pipe) as connection:
        _serve(file, connection)


def _step_back() -> None:
    """Leave the processor to others; Linux counts the priority of each thread, other systems that of the process."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


def _serve(file: int, connection: Connection) -> None:
    from aquadash.augment import draw_by_batch
    from aquadash.errors import AquaDashError
    from aquadash.training.drawing import SharedImages

    begin = connection.recv()
    plan, shape = begin["plan"], begin["shape"]
    memory = mmap.mmap(file, SharedImages.size(shape, plan.factor))
    os.close(file)
    shared = SharedImages.at(memory, shape, plan.factor)
    behind = ThreadPoolExecutor(1, "drawing-behind", initializer=_step_back)
    #: What is being drawn, and the epoch that the training waits for, or waited for last.
    epoch: int | None = None
    awaited: int | None = None
    steps: Iterator[tuple[str, float]] = iter(())
    told = 0.0
    while True:
        if epoch is None or connection.poll():
            message: dict[str, Any] = connection.recv()
            if "hurry" in message:
                awaited = message["hurry"]
            else:
                epoch = message["epoch"]
                steps = draw_by_batch(shared.originals, plan, seed=message["seed"], out=shared.slots[message["slot"]])
                told = time.monotonic()
            continue
        try:
            # A batch a step: this thread has the training's priority.
            step = next(steps, None) if awaited == epoch else behind.submit(next, steps, None).result()
        except AquaDashError as error:
            answer: dict[str, Any] = {"error": str(error)}
        except MemoryError:
            answer = {"error": "There was not enough memory to draw new training images. Choose fewer copies."}
        except Exception as error:
            answer = {"error": f"New training images could not be drawn: {type(error).__name__}: {error}"[:500]}
        else:
            if step is not None:
                if awaited == epoch and time.monotonic() - told >= _TELL_SECONDS:
                    told = time.monotonic()
                    connection.send({"progress": step})
                continue
            answer = {"epoch": epoch}
        epoch = None
        connection.send(answer)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
