"""The process that draws training images ahead, started by :mod:`aquadash.training.drawing`.

Reads what the training process has pickled: first the plan and the originals' shape, then an epoch to draw with its
seed and slot, and ``{"hurry": n}`` when the training waits for epoch n. Answers with a JSON object a line: how far it
is, ``{"epoch": n}`` when the images are there, or ``{"error": ...}``. Ends at once when its input closes, which it does
when the training process ends, however that comes about.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

#: While the training computes, drawing takes only what it leaves: at 5, epochs of the report's network were up to a
#: fifth longer on two cores. Where other programs take both cores nothing is left, so drawing goes on at the training's
#: priority once that waits: epochs then took 1.13 times as long as with fixed copies, and 4.3 times without it.
_NICENESS = 19

#: Between two words on how far it is, in seconds.
_TELL_SECONDS = 0.25


def main(file: int) -> None:
    """Serve until the input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print goes to the log and never between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    orders = _Orders()
    threading.Thread(target=orders.listen, name="drawing-orders", daemon=True).start()
    try:
        _serve(file, orders, answers)
    except BrokenPipeError:
        pass  # Nobody listens any more.


class _Orders:
    """What the training process has asked for."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        #: The epoch that the training waits for, or waited for last.
        self.awaited: int | None = None

    def listen(self) -> None:
        try:
            while True:
                message = pickle.load(sys.stdin.buffer)
                if "hurry" in message:
                    self.awaited = message["hurry"]
                else:
                    self.queue.put(message)
        except (EOFError, pickle.UnpicklingError):
            # The end of the input, in the middle of a message or not.
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)


def _step_back() -> None:
    """Leave the processor to others; Linux counts the priority of each thread, other systems that of the process."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


def _serve(file: int, orders: _Orders, answers: IO[str]) -> None:
    from aquadash.augment import draw_by_batch
    from aquadash.errors import AquaDashError
    from aquadash.training.drawing import SharedImages

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    begin = orders.queue.get()
    plan, shape = begin["plan"], begin["shape"]
    memory = mmap.mmap(file, SharedImages.size(shape, plan.factor))
    os.close(file)
    shared = SharedImages.at(memory, shape, plan.factor)
    behind = ThreadPoolExecutor(1, "drawing-behind", initializer=_step_back)
    while True:
        order = orders.queue.get()
        steps = draw_by_batch(shared.originals, plan, seed=order["seed"], out=shared.slots[order["slot"]])
        told = time.monotonic()
        try:
            # A batch a step: this thread has the training's priority.
            while step := (
                next(steps, None) if orders.awaited == order["epoch"] else behind.submit(next, steps, None).result()
            ):
                if time.monotonic() - told >= _TELL_SECONDS:
                    told = time.monotonic()
                    answer(progress=step[0], fraction=step[1])
        except AquaDashError as error:
            answer(error=str(error))
        except MemoryError:
            answer(error="There was not enough memory to draw new training images. Choose fewer copies.")
        except Exception as error:
            answer(error=f"New training images could not be drawn: {type(error).__name__}: {error}"[:500])
        else:
            answer(epoch=order["epoch"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
