"""The process that draws training images ahead, started by :mod:`aquadash.training.drawing`.

Reads one JSON object a line: first the plan and the originals' shape, then an epoch to draw with its seed and slot.
Answers with one a line: how far it is, ``{"epoch": n}`` when the images are there, or ``{"error": ...}``. Ends at once
when its input closes, which it does when the training process ends, however that comes about.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import queue
import signal
import sys
import threading
import time
from typing import IO, Any

#: Drawing takes only what training leaves; where training waits for images, it leaves all. At 5, epochs of the report's
#: network were up to a fifth longer on two cores, at 12 up to 1.19 times one with fixed copies, at 19 1.08 and 1.12. On
#: a machine that other programs fill, drawing and the training that waits for it are slow at any of them.
_NICENESS = 19

#: Between two words on how far it is, in seconds.
_TELL_SECONDS = 0.25


def main(file: int) -> None:
    """Serve until the input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print goes to the log and never between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(messages,), name="drawing-orders", daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    try:
        _serve(file, messages, answers)
    except BrokenPipeError:
        pass  # Nobody listens any more.


def _listen(messages: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        messages.put(json.loads(line))
    os._exit(0)


def _serve(file: int, messages: queue.SimpleQueue[dict[str, Any]], answers: IO[str]) -> None:
    from aquadash.augment import AugmentationPlan, draw
    from aquadash.errors import AquaDashError
    from aquadash.training.drawing import SharedImages

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    begin = messages.get()
    plan, shape = AugmentationPlan.from_json(begin["plan"]), tuple(begin["shape"])
    memory = mmap.mmap(file, SharedImages.size(shape, plan.factor))
    os.close(file)
    shared = SharedImages.at(memory, shape, plan.factor)
    told = 0.0

    def tell(text: str, share: float | None) -> None:
        nonlocal told
        if time.monotonic() - told >= _TELL_SECONDS:
            told = time.monotonic()
            answer(progress=text, share=share)

    while True:
        order = messages.get()
        told = time.monotonic()
        try:
            draw(shared.originals, plan, seed=order["seed"], out=shared.slots[order["slot"]], progress=tell)
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
